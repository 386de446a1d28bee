"""The Celery app of producer and worker. Its settings are those of `peers/celery.ts`, which are shown beside the figures."""
import json
import sys
import time

from celery import Celery

options = json.loads(sys.argv[1])


def create_app(place):
    """On the server and the queue of the bench."""
    app = Celery("bench", broker=f"{options['scheme']}://{place['host']}:{place['port']}//")
    app.conf.update(options["conf"], task_default_queue=place["queue"])
    return app


def create_task(app, on_task):
    """The one task, which tells when the payload was sent and does nothing else."""

    @app.task(name="bench.nothing")
    def nothing(id, sentAtUs, text):
        on_task(sentAtUs - options["payload"]["sentAtUs"])

    return nothing


def payload(index, sent_at_us=0):
    """As the payloads of all other peers: the first one with other numbers."""
    first = options["payload"]
    return {"id": first["id"] + index, "sentAtUs": first["sentAtUs"] + sent_at_us, "text": first["text"]}


def now_us():
    """Microseconds of the machine's monotonic clock, which node has as well."""
    return time.monotonic_ns() // 1000
