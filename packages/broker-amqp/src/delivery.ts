import type { BrokerMessage, Delivery, MalformedMessage, Outcome, Settled } from "@q/core/broker";
import type { Arrival } from "./arrival.ts";
import type { Settler } from "./settler.ts";

/** A message in the hands of a consumer. */
export class AmqpDelivery implements Delivery {
  readonly #arrival: Arrival;
  readonly #settler: Settler;
  readonly #onSettle: () => void;
  #isSettled = false;

  /** @param onSettle called once, when it leaves the consumer's hands */
  constructor(arrival: Arrival, settler: Settler, onSettle: () => void) {
    this.#arrival = arrival;
    this.#settler = settler;
    this.#onSettle = onSettle;
  }

  get message(): BrokerMessage | MalformedMessage {
    return this.#arrival.message;
  }

  get crashes(): number {
    return this.#arrival.crashes;
  }

  get lost(): AbortSignal {
    return this.#arrival.session.lost;
  }

  async start(): Promise<Settled> {
    return this.#isSettled || this.lost.aborted ? "lost" : await this.#settler.start(this.#arrival);
  }

  settle(outcome: Outcome): Promise<Settled> {
    if (this.#isSettled) return lost;
    this.#isSettled = true;
    const settled = this.lost.aborted ? lost : this.#settler.settle(this.#arrival, outcome);
    this.#onSettle();
    return settled;
  }
}

const lost: Promise<Settled> = Promise.resolve("lost");
