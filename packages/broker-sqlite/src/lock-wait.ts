import { setImmediate as nextTurn } from "node:timers/promises";
import { sleep, type Clock } from "@q/core/broker";

/** A commit holds the lock for tenths of a millisecond, less than a timer of the event loop measures. */
const napMs = 0.1;
/** How long to wait by naps. Milliseconds. */
const nappingMs = 5;

/**
 * The pauses of one wait for the lock. The first are naps of the thread, with a turn of the event loop after each: to ask without a pause would
 * keep the processor from whoever holds the lock, and timers may fall in step with the commits of another process and find the file
 * locked each time. If that was not enough, somebody holds it for long.
 */
export class LockWait {
  readonly #clock: Clock;
  readonly #nappingUntil: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#nappingUntil = clock.monotonic() + nappingMs;
  }

  async pause(): Promise<void> {
    if (this.#clock.monotonic() < this.#nappingUntil) {
      nap();
      await nextTurn();
    } else {
      await sleep(this.#clock, 1 + Math.random() * 4);
    }
  }
}

const nobodyWakes = new Int32Array(new SharedArrayBuffer(4));

function nap(): void {
  Atomics.wait(nobodyWakes, 0, 0, napMs);
}
