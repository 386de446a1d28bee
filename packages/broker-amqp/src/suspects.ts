import type { Logger } from "@q/core/broker";
import type { Arrival } from "./arrival.ts";
import type { Mark, Marks } from "./marks.ts";

/**
 * Finds out how many workers died of messages that were handed out before. RabbitMQ says no more than that they were: somebody died holding them, or gave
 * them back, and then there is a mark.
 */
export class Suspects {
  readonly #marks: Marks;
  readonly #logger: Logger;
  readonly #onSorted: () => void;
  #waiting: Arrival[] = [];
  #sorting: Promise<void> | undefined;

  /** @param onSorted called whenever some are known */
  constructor(marks: Marks, logger: Logger, onSorted: () => void) {
    this.#marks = marks;
    this.#logger = logger;
    this.#onSorted = onSorted;
  }

  add(arrival: Arrival): void {
    this.#waiting.push(arrival);
    // Those that come back together are looked up together.
    this.#sorting ??= new Promise((resolve) => setImmediate(resolve)).then(() => this.#sort());
  }

  /** Resolves when nothing waits to be looked up. Never rejects. */
  async done(): Promise<void> {
    await this.#sorting;
  }

  async #sort(): Promise<void> {
    while (this.#waiting.length > 0) {
      const arrivals = this.#waiting.filter(({ session }) => !session.lost.aborted);
      this.#waiting = [];
      const queues = new Set(arrivals.map(({ queue }) => queue));
      await Promise.all(
        [...queues].map((queue) =>
          this.#sortQueue(
            queue,
            arrivals.filter((one) => one.queue === queue),
          ),
        ),
      );
      this.#onSorted();
    }
    this.#sorting = undefined;
  }

  /** Never rejects. */
  async #sortQueue(queue: string, arrivals: readonly Arrival[]): Promise<void> {
    let known: ReadonlyMap<string, Mark> = new Map();
    try {
      known = await this.#marks.take(
        queue,
        arrivals.map(({ key }) => key),
      );
    } catch (error) {
      if (arrivals.some(({ session }) => !session.lost.aborted))
        this.#logger.warn(
          { err: error, queue },
          "what is known of messages that came back cannot be read; each counts as one crash",
        );
    }
    for (const arrival of arrivals) {
      arrival.crashes = crashesOf(arrival.crashes, known.get(arrival.key));
      arrival.isSorted = true;
    }
  }
}

/** The first death counts for everything that was held, and is what the absence of a mark means. */
function crashesOf(written: number, mark: Mark | undefined): number {
  switch (mark?.kind) {
    case undefined:
    case "gone":
      return Math.max(1, written);
    case "released":
    case "held":
      return mark.crashes;
    case "started":
      return mark.crashes + 1;
  }
}
