import { sleep, type Clock } from "../clock.ts";

/** Waits until a worker has ended something: what runs, what is to be stored. */
export class Drain {
  readonly #clock: Clock;
  readonly #isDone: () => boolean;
  #waiters: (() => void)[] = [];

  constructor(clock: Clock, isDone: () => boolean) {
    this.#clock = clock;
    this.#isDone = isDone;
  }

  /** To be called when it may be done. */
  check(): void {
    if (this.#waiters.length === 0 || !this.#isDone()) return;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }

  /** `true` when it is done; `false` when that takes longer, or `now` aborts. */
  async done(withinMs: number, now?: AbortSignal): Promise<boolean> {
    const done = new Promise<void>((resolve) => this.#waiters.push(resolve));
    this.check();
    const ended = new AbortController();
    const signal = now === undefined ? ended.signal : AbortSignal.any([ended.signal, now]);
    await Promise.race([done, sleep(this.#clock, withinMs, signal)]);
    ended.abort();
    return this.#isDone();
  }
}
