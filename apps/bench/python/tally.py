"""What the processes of a pool have run, and what that took, in memory that they share from their fork on."""
import os
import time
from multiprocessing import RawArray, RawValue, Semaphore, Value

from bench_app import now_us

MOST_PROCESSES = 1024


class Tally:
    """Made before the pool is. The first tasks are not measured."""

    def __init__(self, warm_up, count, measures_age):
        self._warm_up = warm_up
        self._last = warm_up + count
        self._started = Value("q", 0)
        self._ages_us = RawArray("q", count) if measures_age else None
        self._processes = RawArray("i", MOST_PROCESSES)
        self._process_count = Value("i", 0)
        self._began = Reading()
        self._ended = Reading()
        self._done = Semaphore(0)
        self.join()
        self._began.take(self.pids)

    def join(self, **_):
        """To be called in each process, by the signal that it has started."""
        with self._process_count:
            self._processes[self._process_count.value] = os.getpid()
            self._process_count.value += 1

    @property
    def pids(self):
        return self._processes[: self._process_count.value]

    @property
    def started(self):
        return self._started.value

    def note(self, sent_at_us):
        """A task has started, in whatever process or thread."""
        with self._started:
            self._started.value += 1
            place = self._started.value
        if place <= self._warm_up:
            if place == self._warm_up:
                self._began.take(self.pids)
            return
        if self._ages_us is not None and place <= self._last:
            self._ages_us[place - self._warm_up - 1] = now_us() - sent_at_us
        if place == self._last:
            self._ended.take(self.pids)
            self._done.release()

    def report(self):
        """Waits for the last task. As `RunReport` of `runner/orders.ts`."""
        self._done.acquire()
        return {
            "ms": (self._ended.at.value - self._began.at.value) * 1e3,
            "lastAtUs": round(self._ended.at.value * 1e6),
            "cpuMs": (self._ended.cpu.value - self._began.cpu.value) * 1e3,
            "agesUs": list(self._ages_us or []),
            "residentBytes": sum(map(resident_bytes, self.pids)),
        }


class Reading:
    """Of the clock, and of the CPU of processes. Seconds."""

    def __init__(self):
        self.at = RawValue("d")
        self.cpu = RawValue("d")

    def take(self, pids):
        self.at.value = time.monotonic()
        self.cpu.value = sum(map(cpu_s, pids))


def cpu_s(pid):
    """User and system time of a process, all its threads together: clock_getcpuclockid of Linux, which Python does not have."""
    return time.clock_gettime(~pid << 3 | 2)


def resident_bytes(pid):
    """A page that several processes share is shared out among them."""
    with open(f"/proc/{pid}/smaps_rollup") as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
