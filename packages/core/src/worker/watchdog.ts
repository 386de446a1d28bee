import { sleep, systemClock, type Clock } from "../clock.ts";
import type { Logger } from "../logger.ts";
import { QError } from "../q-error.ts";

export interface Watched {
  /** `Consumer.heardAt`, or `undefined` while nothing is expected of the broker: paused, or every slot taken. */
  readonly heardAt: () => number | undefined;
  /** Replaces the consumer. Rejects when the new one cannot be had. */
  readonly rebuild: () => Promise<void>;
  /** Slots, and how many of them are held by attempts that were given up. */
  readonly slots: () => { readonly size: number; readonly overdue: number };
  /** The worker can do no more: its process should end, so that something starts a new one. */
  readonly onFailed: (error: Error) => void;
}

const checkEveryMs = 5000;
const silentForMs = 30_000;
const mostRebuilds = 3;

/**
 * Notices a worker that looks alive and does nothing: the worst failure of a queue, because nobody is told. It watches the process, so it
 * goes by the machine's time, also where a test has made the worker's own.
 */
export class Watchdog {
  readonly #watched: Watched;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #stopped = new AbortController();
  #rebuilds = 0;
  #lastHeardAt: number | undefined;
  #heardSince: number;

  constructor(watched: Watched, logger: Logger, clock: Clock = systemClock) {
    this.#watched = watched;
    this.#clock = clock;
    this.#logger = logger;
    this.#heardSince = clock.monotonic();
    void this.#watch();
  }

  stop(): void {
    this.#stopped.abort();
  }

  async #watch(): Promise<void> {
    // The sleep also keeps the process alive: an idle worker may have nothing else that does.
    while (await sleep(this.#clock, checkEveryMs, this.#stopped.signal)) await this.#check();
  }

  async #check(): Promise<void> {
    const { size, overdue } = this.#watched.slots();
    if (overdue >= size) {
      this.#fail(
        new QError("Q4006", `all ${size} slots are held by attempts past their time limit`, {
          hint: "pass ctx.signal to what the tasks wait for, so that they end when they are given up",
        }),
      );
      return;
    }
    const heardAt = this.#watched.heardAt();
    if (heardAt === undefined || heardAt !== this.#lastHeardAt) {
      this.#lastHeardAt = heardAt;
      this.#heardSince = this.#clock.monotonic();
      if (heardAt !== undefined) this.#rebuilds = 0;
      return;
    }
    const silentMs = this.#clock.monotonic() - this.#heardSince;
    if (silentMs >= silentForMs * (this.#rebuilds + 1)) await this.#rebuild(silentMs);
  }

  async #rebuild(silentMs: number): Promise<void> {
    this.#rebuilds += 1;
    if (this.#rebuilds > mostRebuilds) {
      this.#fail(
        new QError(
          "Q4007",
          `the broker has not answered for ${Math.round(silentMs)} ms, and ${mostRebuilds} new consumers did not help`,
        ),
      );
      return;
    }
    this.#logger.warn(
      { silentMs: Math.round(silentMs), rebuild: this.#rebuilds },
      "the consumer stands still; replacing it",
    );
    try {
      await this.#watched.rebuild();
      // A new consumer has a new mark. That it hears something is shown by the next one.
      this.#lastHeardAt = this.#watched.heardAt();
    } catch (error) {
      this.#logger.error({ err: error }, "the consumer could not be replaced");
    }
  }

  #fail(error: Error): void {
    this.stop();
    this.#watched.onFailed(error);
  }
}
