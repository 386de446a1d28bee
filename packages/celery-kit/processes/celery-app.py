"""A Celery app. Celery's command line makes a worker of it; run as a program, it is a Python service that does as it is told."""
import json
import os
import sys
import time

from celery import Celery
from celery.exceptions import Reject
from redis import Redis

url = os.environ["Q_CELERY_BROKER"]
# Redis is the notebook of whatever broker.
notes = Redis.from_url(os.environ["Q_CELERY_NOTES"])

app = Celery("interop", broker=url)
if url.startswith("redis:"):
    app.conf.broker_transport_options = {"global_keyprefix": os.environ.get("Q_CELERY_PREFIX", "")}
app.conf.update(
    # A worker ends with its server.
    broker_connection_retry=False,
    task_default_queue="to_python",
    task_routes={"node.*": {"queue": "to_node"}},
    task_ignore_result=True,
)


def tell(task, args, kwargs):
    """Leaves what a run saw in the list `run:<task id>`."""
    request = task.request
    run = {
        "atMs": round(time.time() * 1000),
        "args": args,
        "kwargs": kwargs,
        "retries": request.retries,
        "rootId": request.root_id,
        "parentId": request.parent_id,
        "timeLimit": request.timelimit,
        "tenant": request.get("tenant"),
        "redelivered": bool(request.delivery_info.get("redelivered")),
    }
    notes.rpush("run:" + request.id, json.dumps(run))


@app.task(bind=True, name="python.report")
def report(self, *args, **kwargs):
    tell(self, args, kwargs)


@app.task(bind=True, name="python.retry_once")
def retry_once(self, *args, **kwargs):
    if self.request.retries == 0:
        raise self.retry(countdown=0)
    tell(self, args, kwargs)


@app.task(bind=True, name="python.retry_elsewhere")
def retry_elsewhere(self, *args, **kwargs):
    raise self.retry(countdown=0, queue="to_node")


@app.task(bind=True, name="python.give_back_once", acks_late=True)
def give_back_once(self, *args, **kwargs):
    if not self.request.delivery_info.get("redelivered"):
        raise Reject(requeue=True)
    tell(self, args, kwargs)


@app.task(bind=True, name="shared.step")
def step(self, value):
    tell(self, [value], {})
    return "from Python"


@app.task(bind=True, name="shared.note")
def note(self):
    """Leaves who ran it in the list `notes`, as the same task in TypeScript does."""
    notes.rpush("notes", f"{self.request.hostname} {self.request.id}")


@app.task(name="node.report")
def node_report(**kwargs):
    raise NotImplementedError("its worker speaks TypeScript")


@app.task(name="node.positional")
def node_positional(event_id, count):
    raise NotImplementedError("its worker speaks TypeScript")


@app.task(name="node.retry_once")
def node_retry_once(**kwargs):
    raise NotImplementedError("its worker speaks TypeScript")


def obey():
    """Evaluates an expression a line, each a JSON text, and answers each with a line."""
    from datetime import datetime, timedelta, timezone  # noqa: F401, for the expressions

    from celery import chain  # noqa: F401

    for line in sys.stdin:
        try:
            answer = {"value": eval(json.loads(line), {**globals(), **locals()})}
        except Exception as error:
            answer = {"error": repr(error)}
        # The handle of a task that was sent reads as its id.
        print(json.dumps(answer, default=str), flush=True)


if __name__ == "__main__":
    obey()
