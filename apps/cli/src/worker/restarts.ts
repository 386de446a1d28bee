/** How a process ended that nobody asked to end. */
export interface ProcessEnd {
  /** The exit code; 128 + signal when a signal ended it. */
  readonly code: number;
  readonly livedMs: number;
  /** Whether it had done its share: `--max-tasks-per-child`, `--max-memory-per-child`. */
  readonly isUsedUp: boolean;
}

/** When to start another process in place of one that ended. */
export interface Restart {
  readonly delayMs: number;
  /** Whether this was one early death too many. Said once in a row of them. */
  readonly isLoop: boolean;
}

/** A process that ends before this has not settled in. */
const settledMs = 10_000;
const loopAfter = 5;
const firstDelayMs = 100;
const longestDelayMs = 10_000;

/**
 * Decides how soon a process is replaced. One that is used up, or ends well after 10 s, at once; else after 0.1 s, 0.2 s, … 10 s, growing
 * with every early death in a row, so that a process that cannot live does not keep the machine busy with its births.
 */
export class Restarts {
  readonly #random: () => number;
  #earlyDeaths = 0;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  after({ code, livedMs, isUsedUp }: ProcessEnd): Restart {
    const isSettled = livedMs >= settledMs;
    if (isUsedUp || isSettled) this.#earlyDeaths = 0;
    if (isUsedUp || (isSettled && code === 0)) return { delayMs: 0, isLoop: false };
    const delayMs = Math.min(longestDelayMs, firstDelayMs * 2 ** this.#earlyDeaths);
    if (!isSettled) this.#earlyDeaths += 1;
    // Processes that died together must not all come back together.
    return { delayMs: delayMs * (0.5 + this.#random() / 2), isLoop: !isSettled && this.#earlyDeaths === loopAfter };
  }
}
