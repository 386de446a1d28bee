# A Celery app without a server: messages are files in the folder Q_CELERY_FOLDER/messages.
import json
import os
import time

from celery import Celery

folder = os.environ["Q_CELERY_FOLDER"]
messages = os.path.join(folder, "messages")

app = Celery(broker="filesystem://")
app.conf.update(
    broker_transport_options={"data_folder_in": messages, "data_folder_out": messages, "polling_interval": 0.05},
    task_default_queue="to_python",
    task_ignore_result=True,
    # Remote control needs a broadcast, which this transport has not.
    worker_enable_remote_control=False,
)


def report(task, **facts):
    """Writes what a run saw, whole or not at all, as <task id>.json."""
    path = os.path.join(folder, "runs", task.request.id)
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"atMs": round(time.time() * 1000), **facts}, file)
    os.rename(path, path + ".json")


@app.task(bind=True, name="interop.report")
def report_call(self, *args, **kwargs):
    request = self.request
    report(
        self,
        args=args,
        kwargs=kwargs,
        retries=request.retries,
        rootId=request.root_id,
        parentId=request.parent_id,
        timeLimit=request.timelimit,
        tenant=request.get("tenant"),
    )


@app.task(bind=True, name="interop.retry_elsewhere", max_retries=5)
def retry_elsewhere(self, *args, **kwargs):
    raise self.retry(countdown=0, queue="to_node")


@app.task(bind=True, name="interop.send_back")
def send_back(self, *args, **kwargs):
    app.send_task("events.save_event", args, kwargs, queue="to_node", countdown=60, priority=3, time_limit=30)
