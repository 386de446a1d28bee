import type { Clock, Timer } from "../clock.ts";

interface Deadline {
  /** Monotonic milliseconds. */
  readonly at: number;
  readonly callback: () => void;
}

/** Deadlines of everything that runs, on one timer: a timer for each attempt would cost more than a short task itself. */
export class TimeLimits {
  readonly #clock: Clock;
  readonly #deadlines = new Set<Deadline>();
  #timer: Timer | undefined;
  #firesAt = Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `callback` once after `delayMs` milliseconds, unless the returned function is called before. */
  after(delayMs: number, callback: () => void): () => void {
    const deadline = { at: this.#clock.monotonic() + delayMs, callback };
    this.#deadlines.add(deadline);
    if (deadline.at < this.#firesAt) this.#arm(deadline.at);
    return () => this.#deadlines.delete(deadline);
  }

  clear(): void {
    this.#deadlines.clear();
    this.#timer?.cancel();
    this.#firesAt = Infinity;
  }

  #arm(at: number): void {
    this.#timer?.cancel();
    this.#firesAt = at;
    this.#timer = this.#clock.setTimer(Math.max(0, at - this.#clock.monotonic()), () => this.#fire());
  }

  #fire(): void {
    const now = this.#clock.monotonic();
    let next = Infinity;
    for (const deadline of this.#deadlines) {
      if (deadline.at > now) {
        next = Math.min(next, deadline.at);
        continue;
      }
      this.#deadlines.delete(deadline);
      deadline.callback();
    }
    this.#firesAt = Infinity;
    if (next !== Infinity) this.#arm(next);
  }
}
