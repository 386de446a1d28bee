import type { Clock, Timer } from "../clock.ts";
import type { Slots } from "./slots.ts";

export interface ReliefOptions {
  readonly slots: Pick<Slots, "started" | "waiting">;
  readonly clock: Clock;
  /** What waits is to go back. */
  readonly onStuck: () => void;
}

/** How long a message may wait for a slot. What is held is meant to run within some milliseconds. */
const longestWaitMs = 1000;

/**
 * Notices messages that wait in this worker because its slots are taken for longer than was thought: a long task behind many short ones, or one whose
 * message the broker does not count any more. Other workers may be idle meanwhile.
 */
export class Relief {
  readonly #options: ReliefOptions;
  #timer: Timer | undefined;

  constructor(options: ReliefOptions) {
    this.#options = options;
  }

  /** To be called when something may wait. */
  watch(): void {
    const { slots, clock, onStuck } = this.#options;
    if (this.#timer !== undefined || slots.waiting === 0) return;
    const last = slots.started + slots.waiting;
    this.#timer = clock.setTimer(longestWaitMs, () => {
      this.#timer = undefined;
      if (slots.waiting > 0 && slots.started < last) onStuck();
      else this.watch();
    });
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
