import type { Delivery, Outcome, Settled } from "../broker/delivery.ts";
import type { Held } from "./held.ts";
import type { MemoryConnection } from "./memory-connection.ts";
import type { MemoryStore } from "./memory-store.ts";
import { messageOf } from "./stored-message.ts";

/** A message that one memory broker holds. */
export class MemoryDelivery implements Delivery {
  readonly message: Delivery["message"];
  readonly crashes: number;
  readonly fence: number;
  readonly #store: MemoryStore;
  readonly #connection: MemoryConnection;
  readonly #held: Held;
  /** Made when somebody looks: most deliveries end without. */
  #lost: AbortController | undefined;
  #isLost = false;

  constructor(store: MemoryStore, connection: MemoryConnection, held: Held) {
    this.message = messageOf(held.stored, held.queue.name);
    this.crashes = held.stored.crashes;
    this.fence = held.fence;
    this.#store = store;
    this.#connection = connection;
    this.#held = held;
    held.onLost = () => {
      this.#isLost = true;
      this.#lost?.abort();
    };
  }

  get lost(): AbortSignal {
    if (this.#lost === undefined) {
      this.#lost = new AbortController();
      if (this.#isLost) this.#lost.abort();
    }
    return this.#lost.signal;
  }

  async start(): Promise<Settled> {
    if (this.#isLost) return "lost";
    return this.#connection.request(() => this.#store.start(this.#held));
  }

  async settle(outcome: Outcome): Promise<Settled> {
    if (this.#isLost) return "lost";
    return this.#connection.request(() => this.#store.settle(this.#held, outcome));
  }
}
