import type { Baggable, BrokerMessage, Delivery, MalformedMessage, Outcome, Settled } from "@q/core/broker";
import type { Arrival } from "./arrival.ts";
import type { HeldSince } from "./hold-limit.ts";
import type { Settler } from "./settler.ts";

/** What a delivery is told of its consumer. */
export interface Holding {
  readonly settler: Settler;
  /** Called once, when it leaves the consumer's hands. */
  readonly onSettle: () => void;
}

/** A message in the hands of a consumer. */
export class AmqpDelivery implements Delivery, HeldSince, Baggable {
  place = 0;
  readonly #arrival: Arrival;
  readonly #settler: Settler;
  readonly #onSettle: () => void;
  #isSettled = false;

  constructor(arrival: Arrival, { settler, onSettle }: Holding) {
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

  get heldSince(): number {
    return this.#arrival.heldSince;
  }

  describe(): string {
    return this.#arrival.describe();
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
