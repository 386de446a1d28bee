import type { Delivery, Outcome, Settled } from "../broker/delivery.ts";

/** Told once what a broker answers to an outcome. */
export interface SettleListener {
  settled(answer: Settled): void;
  failed(error: unknown): void;
}

/** Outcomes that have one answer. */
interface Batch {
  readonly answer: Promise<Settled>;
  readonly listeners: SettleListener[];
}

/**
 * Outcomes on their way to the broker. One that stores many with a call answers all of them with one promise: then there is one wait for all,
 * where a wait for each would cost more than a short task itself.
 */
export class Settling {
  readonly #onStored: () => void;
  #count = 0;
  #last: Batch | undefined;

  /** @param onStored told whenever some have their answer */
  constructor(onStored: () => void) {
    this.#onStored = onStored;
  }

  /** How many have no answer yet. */
  get count(): number {
    return this.#count;
  }

  settle(delivery: Delivery, outcome: Outcome, listener: SettleListener): void {
    this.#count += 1;
    const answer = answerTo(delivery, outcome);
    if (this.#last?.answer === answer) {
      this.#last.listeners.push(listener);
      return;
    }
    const batch: Batch = { answer, listeners: [listener] };
    this.#last = batch;
    answer.then(
      (settled) => this.#tell(batch, (one) => one.settled(settled)),
      (error: unknown) => this.#tell(batch, (one) => one.failed(error)),
    );
  }

  #tell(batch: Batch, tell: (listener: SettleListener) => void): void {
    // Who comes with the same promise from now on starts another wait.
    if (this.#last === batch) this.#last = undefined;
    for (const listener of batch.listeners) tell(listener);
    this.#count -= batch.listeners.length;
    this.#onStored();
  }
}

/** A broker that throws has not kept its contract; that must not stop the worker. */
function answerTo(delivery: Delivery, outcome: Outcome): Promise<Settled> {
  try {
    return delivery.settle(outcome);
  } catch (error) {
    return Promise.reject(error instanceof Error ? error : new Error(String(error)));
  }
}
