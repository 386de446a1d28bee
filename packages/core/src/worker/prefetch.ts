/** Milliseconds of work to have at hand beyond the free slots: about what a fetch takes. */
const workAheadMs = 5;
const mostAhead = 500;
/** Of bodies. More live long enough for the garbage collector to copy them about, which costs more than the fetches that they save. */
const mostAheadBytes = 2 * 1024 * 1024;
/** Weight of the newest run in the means. */
const weight = 0.05;
/** From one change to the next that holds more. The first runs, of code that is not compiled yet, take long. Milliseconds. */
const growAfterMs = 100;
/** For how long less must be wanted until less is held: while its process is kept from the processor, every run seems long. Milliseconds. */
const shrinkAfterMs = 1000;

/**
 * How many messages to hold beyond the free slots. Tasks that take longer than a fetch get none: a held message is one that another worker
 * cannot run. For very short ones the fetch would be the bottleneck, so the next are there before a slot is free. The number seldom changes: for
 * another one a broker may have to subscribe anew.
 */
export class Prefetch {
  readonly #concurrency: number;
  readonly #fixed: number | undefined;
  /** Milliseconds of one slot for each run: the length of a run where all slots are busy, and more where few are. */
  #meanMs = Infinity;
  #meanBytes = 0;
  #ahead = 0;
  /** When `#ahead` changed, or the first run ended. */
  #changedAt: number | undefined;
  #tooManySince: number | undefined;

  constructor(concurrency: number, fixedExtra: number | undefined) {
    this.#concurrency = concurrency;
    this.#fixed = fixedExtra;
  }

  /**
   * @param ms how long a run took
   * @param now when it ended: monotonic milliseconds
   * @param busy how many slots were taken then, its own among them
   * @param bytes of the message's body, roughly
   */
  ran(ms: number, now: number, busy: number, bytes: number): void {
    // Tasks that only compute run one by one, however many slots there are: each has the time of all slots to itself.
    const slotMs = ms * (this.#concurrency / busy);
    const isFirst = this.#meanMs === Infinity;
    this.#meanMs = isFirst ? slotMs : this.#meanMs + (slotMs - this.#meanMs) * weight;
    this.#meanBytes = isFirst ? bytes : this.#meanBytes + (bytes - this.#meanBytes) * weight;
    this.#changedAt ??= now;
    const ahead = this.#wanted();
    if (ahead * 2 >= this.#ahead) {
      this.#tooManySince = undefined;
      if (ahead > this.#ahead && now - this.#changedAt >= growAfterMs) this.#change(ahead, now);
      return;
    }
    // What was held during this run has waited for all of it.
    this.#tooManySince ??= now - ms;
    if (now - this.#tooManySince >= shrinkAfterMs) this.#change(ahead, now);
  }

  /** Whether somebody wants messages to wait here for a slot. */
  get isWanted(): boolean {
    return (this.#fixed ?? 0) > 0;
  }

  /** Slots and what is held ahead of them. */
  get size(): number {
    return this.#concurrency + (this.#fixed ?? this.#ahead);
  }

  #change(ahead: number, now: number): void {
    this.#ahead = ahead;
    this.#changedAt = now;
    this.#tooManySince = undefined;
  }

  #wanted(): number {
    const ahead = Math.floor((workAheadMs / Math.max(this.#meanMs, 0.01)) * this.#concurrency);
    // A handful of extra messages saves no fetch worth having.
    return ahead < this.#concurrency * 2
      ? 0
      : Math.min(ahead, mostAhead, Math.floor(mostAheadBytes / Math.max(this.#meanBytes, 1)));
  }
}
