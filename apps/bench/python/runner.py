"""A worker of Celery in processes of its own: what `runner/main.ts` is to the peers in node."""
import os
import signal
import sys
import threading
import warnings

from bench_app import create_app, create_task, options
from celery.concurrency import get_implementation
from celery.exceptions import SecurityWarning, WorkerShutdown
from celery.signals import worker_process_init, worker_ready
from parent import Parent
from tally import Tally


# A bench may be run by root.
warnings.simplefilter("ignore", SecurityWarning)


def shut_down(*_):
    """As Celery does at a signal, when what runs has ended, but without words."""
    raise WorkerShutdown(os.EX_OK)


def main():
    signal.signal(signal.SIGUSR2, shut_down)
    parent = Parent()
    setup = parent.listen()["setup"]
    app = create_app(setup["place"])
    tally = Tally(setup["warmUp"], setup["count"], setup["measuresAge"])
    create_task(app, on_task=tally.note)
    worker_process_init.connect(tally.join)
    worker = app.Worker(
        pool_cls=get_implementation(options["pool"]),
        concurrency=min(setup["concurrency"], options["mostSlots"] or setup["concurrency"]),
        **options["worker"],
    )

    def obey():
        parent.answer()
        while "close" not in (message := parent.listen()):
            parent.obeyed(lambda: tally.answer(message["question"]))
        # A flag would only be seen when the wait for the next message is over.
        signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR2)

    @worker_ready.connect(weak=False)
    def serve(**_):
        # Not before: the pool would fork this thread's locks.
        threading.Thread(target=obey, daemon=True).start()

    worker.start()

    def check():
        expected = setup["warmUp"] + setup["count"]
        if tally.started != expected:
            raise RuntimeError(f"Celery ran {tally.started} tasks, and {expected} were sent")

    parent.obeyed(check)
    sys.exit()


main()
