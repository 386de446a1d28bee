import { sleep, type Clock } from "../clock.ts";

/** Knows when a worker's last outcome is stored: the moment at which it may stop with nothing left undone. */
export class Drain {
  readonly #clock: Clock;
  readonly #isRunning: () => boolean;
  #settling = 0;
  #waiters: (() => void)[] = [];

  /** @param isRunning whether any handler runs */
  constructor(clock: Clock, isRunning: () => boolean) {
    this.#clock = clock;
    this.#isRunning = isRunning;
  }

  /** Counts an outcome on its way to the broker. It must not reject. */
  track(settling: Promise<void>): void {
    this.#settling += 1;
    void settling.then(() => {
      this.#settling -= 1;
      this.check();
    });
  }

  /** To be called when a handler has ended. */
  check(): void {
    if (!this.#isDone()) return;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }

  /** `true` when nothing runs and every outcome is stored; `false` when that takes longer, or `now` aborts. */
  async done(withinMs: number, now: AbortSignal): Promise<boolean> {
    const done = new Promise<void>((resolve) => this.#waiters.push(resolve));
    this.check();
    const ended = new AbortController();
    await Promise.race([done, sleep(this.#clock, withinMs, AbortSignal.any([ended.signal, now]))]);
    ended.abort();
    return this.#isDone();
  }

  #isDone(): boolean {
    return this.#settling === 0 && !this.#isRunning();
  }
}
