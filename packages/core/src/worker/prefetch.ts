/** Milliseconds of work to have at hand beyond the free slots: about what a fetch takes. */
const workAheadMs = 5;
const mostAhead = 500;
/** Weight of the newest run in the mean. */
const weight = 0.05;

/**
 * How many messages to hold beyond the free slots. Tasks that take longer than a fetch get none: a held message is one that another worker
 * cannot run. For very short ones the fetch would be the bottleneck, so the next are there before a slot is free.
 */
export class Prefetch {
  readonly #concurrency: number;
  readonly #fixed: number | undefined;
  #meanMs = Infinity;

  constructor(concurrency: number, fixedExtra: number | undefined) {
    this.#concurrency = concurrency;
    this.#fixed = fixedExtra;
  }

  ran(ms: number): void {
    this.#meanMs = this.#meanMs === Infinity ? ms : this.#meanMs + (ms - this.#meanMs) * weight;
  }

  /** Slots and what is held ahead of them. */
  get size(): number {
    return this.#concurrency + (this.#fixed ?? this.#ahead());
  }

  #ahead(): number {
    const ahead = Math.floor((workAheadMs / Math.max(this.#meanMs, 0.01)) * this.#concurrency);
    // A handful of extra messages saves no fetch worth having.
    return ahead < this.#concurrency * 2 ? 0 : Math.min(ahead, mostAhead);
  }
}
