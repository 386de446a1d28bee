import type { BrokerMessage, Delivery, MalformedMessage, Outcome, Settled } from "@q/core/broker";
import type { Incarnation } from "./incarnation.ts";
import type { Held } from "./scripts/claim.ts";

/** A message in the hands of a consumer. */
export class RedisDelivery implements Delivery {
  readonly message: BrokerMessage | MalformedMessage;
  readonly #held: Held;
  readonly #incarnation: Incarnation;
  #isSettled = false;

  constructor(message: BrokerMessage | MalformedMessage, held: Held, incarnation: Incarnation) {
    this.message = message;
    this.#held = held;
    this.#incarnation = incarnation;
  }

  get crashes(): number {
    return this.#held.crashes;
  }

  get fence(): number {
    return this.#held.fence;
  }

  get lost(): AbortSignal {
    return this.#incarnation.lost;
  }

  async start(): Promise<Settled> {
    return this.#isSettled || this.lost.aborted ? "lost" : await this.#incarnation.settler.start(this.#held);
  }

  settle(outcome: Outcome): Promise<Settled> {
    if (this.#isSettled || this.lost.aborted) return lost;
    this.#isSettled = true;
    return this.#incarnation.settler.settle(this.#held, outcome);
  }
}

const lost: Promise<Settled> = Promise.resolve("lost");
