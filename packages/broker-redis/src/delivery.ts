import type { BrokerMessage, Delivery, MalformedMessage, Outcome, Settled } from "@q/core/broker";
import { decodeBytes, decodeEnvelope } from "./envelope.ts";
import type { Incarnation } from "./incarnation.ts";
import type { Held } from "./scripts/claim.ts";

/** A message in the hands of a consumer. It is read when it is looked at: until then it waits, and its text alone is a quarter of what it becomes. */
export class RedisDelivery implements Delivery {
  readonly #queue: string;
  readonly #held: Held;
  readonly #incarnation: Incarnation;
  #message: BrokerMessage | MalformedMessage | undefined;
  #isSettled = false;

  constructor(queue: string, held: Held, incarnation: Incarnation) {
    this.#queue = queue;
    this.#held = held;
    this.#incarnation = incarnation;
  }

  get message(): BrokerMessage | MalformedMessage {
    const { text } = this.#held;
    this.#message ??= typeof text === "string" ? decodeEnvelope(text, this.#queue) : decodeBytes(text, this.#queue);
    return this.#message;
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
