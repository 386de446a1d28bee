import type { BrokerMessage, Delivery, MalformedMessage, Outcome, Settled } from "@q/core/broker";
import type { Hold } from "./settle.ts";
import type { Store } from "./store.ts";

/** A message that this broker holds. */
export class SqliteDelivery implements Delivery {
  readonly message: BrokerMessage | MalformedMessage;
  readonly crashes: number;
  readonly fence: number;
  readonly lost: AbortSignal;
  readonly #store: Store;
  readonly #hold: Hold;
  #isSettled = false;

  constructor(store: Store, hold: Hold, message: BrokerMessage | MalformedMessage, crashes: number) {
    this.message = message;
    this.crashes = crashes;
    this.fence = hold.fence;
    this.#store = store;
    this.#hold = hold;
    this.lost = store.session.lost;
  }

  start(): Promise<Settled> {
    return this.#isOurs ? this.#store.settler.start(this.#hold) : Promise.resolve("lost");
  }

  settle(outcome: Outcome): Promise<Settled> {
    if (!this.#isOurs) return Promise.resolve("lost");
    this.#isSettled = true;
    return this.#store.settler.settle(this.#hold, outcome);
  }

  get #isOurs(): boolean {
    return !this.#isSettled && !this.lost.aborted;
  }
}
