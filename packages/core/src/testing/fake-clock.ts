import type { Clock, Timer } from "../clock.ts";
import { durationMs, type Duration } from "../duration.ts";
import { ConfigError } from "../q-error.ts";
import { MinHeap } from "./min-heap.ts";

export interface FakeClockOptions {
  /** Epoch milliseconds at the start. Default 2030-01-01T00:00:00Z. */
  readonly now?: number;
}

interface PendingTimer {
  readonly dueAt: number;
  /** Timers of one instant fire in the order in which they were set. */
  readonly order: number;
  readonly callback: () => void;
  cancelled: boolean;
}

/** Event loop turns without anything to do after which the program counts as settled. */
const quietTurns = 3;
/** Most turns to wait for that: another test in this process may keep the loop busy. */
const mostTurns = 200;

/**
 * A clock that moves only when a test says so. Days of delays and retries pass in milliseconds, in the same order every time.
 *
 * It drives what is built on `Clock`, promises and `setImmediate`. Real I/O takes real time: wait for its result instead.
 */
export class FakeClock implements Clock {
  #elapsedMs = 0;
  /** Epoch milliseconds at which the monotonic time was zero. */
  #epoch: number;
  #order = 0;
  #cancelled = 0;
  readonly #timers: MinHeap<PendingTimer> = new MinHeap(
    (a, b) => a.dueAt < b.dueAt || (a.dueAt === b.dueAt && a.order < b.order),
  );
  #advancing: Promise<void> = Promise.resolve();

  constructor(options: FakeClockOptions = {}) {
    this.#epoch = options.now ?? Date.UTC(2030, 0, 1);
  }

  now(): number {
    return this.#epoch + this.#elapsedMs;
  }

  monotonic(): number {
    return this.#elapsedMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const timer: PendingTimer = {
      dueAt: this.#elapsedMs + Math.max(0, delayMs),
      order: this.#order++,
      callback,
      cancelled: false,
    };
    this.#timers.push(timer);
    return { cancel: () => this.#cancel(timer) };
  }

  /**
   * Lets time pass. Timers that fall due run in order of time, also those set meanwhile, and after each one all that follows from it:
   * promises and `setImmediate` callbacks. Calls take effect one after the other.
   * @param duration `"5m"`, or milliseconds
   * @throws ConfigError `Q2010` when it is not a duration; whatever a timer's callback throws
   */
  advance(duration: Duration | number): Promise<void> {
    const ms = typeof duration === "number" ? duration : durationMs(duration);
    if (!(ms >= 0 && ms < Infinity)) {
      return Promise.reject(
        new ConfigError("Q2010", `advance was given ${ms} ms: expected a finite number of at least 0`),
      );
    }
    const advanced = this.#advancing.then(() => this.#advance(ms));
    // A callback that threw is told to the caller of that advance only.
    this.#advancing = advanced.catch(() => undefined);
    return advanced;
  }

  /** Sets the wall clock, as an operator would. Timers and the monotonic time do not notice. */
  set(epochMs: number): void {
    this.#epoch = epochMs - this.#elapsedMs;
  }

  async #advance(ms: number): Promise<void> {
    const until = this.#elapsedMs + ms;
    // Code that was just called may be about to set its timers.
    await settled();
    for (;;) {
      const timer = this.#timers.peek();
      if (timer === undefined || timer.dueAt > until) break;
      this.#timers.pop();
      if (timer.cancelled) {
        this.#cancelled -= 1;
        continue;
      }
      this.#elapsedMs = Math.max(this.#elapsedMs, timer.dueAt);
      // From here on cancelling it must not be counted: it is no longer in the heap.
      timer.cancelled = true;
      timer.callback();
      await settled();
    }
    this.#elapsedMs = until;
  }

  #cancel(timer: PendingTimer): void {
    if (timer.cancelled) return;
    timer.cancelled = true;
    this.#cancelled += 1;
    // A poll that is set anew with each message would otherwise fill the heap with its dead predecessors.
    if (this.#cancelled > 1000 && this.#cancelled * 2 > this.#timers.size) {
      this.#timers.keep((pending) => !pending.cancelled);
      this.#cancelled = 0;
    }
  }
}

/** Resolves when nothing is left that runs without time passing. */
async function settled(): Promise<void> {
  let quiet = 0;
  for (let turn = 0; turn < mostTurns && quiet < quietTurns; turn += 1) {
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
    quiet = process.getActiveResourcesInfo().includes("Immediate") ? 0 : quiet + 1;
  }
}
