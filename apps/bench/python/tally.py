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
        self._made = Reading()
        self._warm = Reading()
        self._ended = Reading()
        self._is_warm = Semaphore(0)
        self._is_done = Semaphore(0)
        self.join()
        self._made.take(self.pids)
        self._warm.take(self.pids)

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
                self._warm.take(self.pids)
                self._is_warm.release()
            return
        if self._ages_us is not None and place <= self._last:
            self._ages_us[place - self._warm_up - 1] = now_us() - sent_at_us
        if place == self._last:
            self._ended.take(self.pids)
            self._is_done.release()

    def answer(self, order):
        """Waits for the last task that is asked for, see `RunOrder` of `runner/orders.ts`."""
        if order == "warm":
            self._is_warm.acquire()
            return self._report(self._made, self._warm, [])
        self._is_done.acquire()
        return self._report(self._warm, self._ended, list(self._ages_us or []))

    def _report(self, began, ended, ages_us):
        return {
            "ms": (ended.at.value - began.at.value) * 1e3,
            "lastAtUs": round(ended.at.value * 1e6),
            "cpuMs": (ended.cpu.value - began.cpu.value) * 1e3,
            "agesUs": ages_us,
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
