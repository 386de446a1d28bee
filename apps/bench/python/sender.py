"""A producer of Celery in a process of its own: what `sender/main.ts` is to the peers in node. It sends one task at a time."""
import time

from bench_app import create_app, create_task, now_us, payload
from parent import Parent

# As in sender/main.ts.
PACE_S = 0.01


def at_once(send, order):
    for index in range(order["count"]):
        send(payload(index))


def paced(send, order):
    for index in range(order["count"]):
        send(payload(index, now_us()))
        time.sleep(PACE_S)


def steady(send, order):
    started_at = now_us()
    for index in range(order["count"]):
        time.sleep(max(0, started_at + index * 1000 - now_us()) / 1e6)
        send(payload(index, now_us()))


def delayed(send, order):
    due = order["due"]
    for index in range(order["count"]):
        due_us = round(due["firstUs"] + index / due["perSecond"] * 1e6)
        send(payload(index, due_us), countdown=max(0, due_us - now_us()) / 1e6)


# Celery has no other way for many.
MANNERS = {"one by one": at_once, "bulk": at_once, "paced": paced, "steady": steady, "delayed": delayed}


def main():
    parent = Parent()
    app = create_app(parent.listen()["setup"]["place"])
    task = create_task(app, on_task=None)

    def send(kwargs, **how):
        task.apply_async(kwargs=kwargs, **how)

    def obey(order):
        started_at, cpu_started_at = time.monotonic(), time.process_time()
        MANNERS[order["manner"]](send, order)
        return {"ms": (time.monotonic() - started_at) * 1e3, "cpuMs": (time.process_time() - cpu_started_at) * 1e3}

    def connect():
        with app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1)

    parent.obeyed(connect)
    while "close" not in (message := parent.listen()):
        parent.obeyed(lambda: obey(message["question"]))
    parent.obeyed(app.close)


main()
