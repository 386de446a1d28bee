import type { BrokerMessage, Delivery, MalformedMessage, Outcome, Settled } from "@q/core/broker";
import type { Losable } from "./held-messages.ts";
import type { Hold } from "./settle.ts";
import type { Store } from "./store.ts";

/** A message that this broker holds. */
export class SqliteDelivery implements Delivery, Losable {
  place = 0;
  readonly message: BrokerMessage | MalformedMessage;
  readonly crashes: number;
  readonly fence: number;
  readonly #store: Store;
  readonly #hold: Hold;
  /** Made when somebody looks: most deliveries end without. */
  #lost: AbortController | undefined;
  #ended: "settled" | "lost" | undefined;

  constructor(store: Store, hold: Hold, message: BrokerMessage | MalformedMessage, crashes: number) {
    this.message = message;
    this.crashes = crashes;
    this.fence = hold.fence;
    this.#store = store;
    this.#hold = hold;
    store.session.held.add(this);
  }

  get lost(): AbortSignal {
    if (this.#lost === undefined) {
      this.#lost = new AbortController();
      if (this.#ended === "lost") this.#lost.abort();
    }
    return this.#lost.signal;
  }

  lose(): void {
    this.#ended = "lost";
    this.#lost?.abort();
  }

  start(): Promise<Settled> {
    return this.#ended === undefined ? this.#store.settler.start(this.#hold) : Promise.resolve("lost");
  }

  settle(outcome: Outcome): Promise<Settled> {
    if (this.#ended !== undefined) return Promise.resolve("lost");
    this.#ended = "settled";
    this.#store.session.held.remove(this);
    return this.#store.settler.settle(this.#hold, outcome);
  }
}
