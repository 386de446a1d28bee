import { sleep } from "@q/core/broker";
import { Connection } from "./connection.ts";
import type { Holder } from "./holder.ts";
import type { Store } from "./store.ts";

/** Longest that Redis lets us wait in one call. Seconds. Nothing depends on it but how often an idle worker says something. */
const blockSeconds = 10;
/** A wait that fails, because memory is full or a key has another type, is tried again after this. Milliseconds. */
const pauseMs = 100;

/**
 * Waits for the next message of one list, without polling: Redis itself moves it to where only this consumer looks. When the answer is lost, the
 * message is there all the same.
 */
export class Waiter {
  readonly #store: Store;
  readonly #holder: Holder;
  readonly #list: number;
  readonly #onLanded: () => void;
  readonly #stopped = new AbortController();
  #connection: Connection | undefined;
  #isWaiting = false;
  #isWanted = false;

  constructor(
    store: Store,
    options: { readonly holder: Holder; readonly list: number; readonly onLanded: () => void },
  ) {
    this.#store = store;
    this.#holder = options.holder;
    this.#list = options.list;
    this.#onLanded = options.onLanded;
  }

  /** Waits for one message. While a wait is under way, it goes on. */
  arm(): void {
    // A look that was under way when it was stopped still ends with this.
    if (this.#stopped.signal.aborted) return;
    this.#isWanted = true;
    if (!this.#isWaiting) void this.#wait();
  }

  /** Does not begin another wait. One that is under way may still bring something. */
  disarm(): void {
    this.#isWanted = false;
  }

  stop(): void {
    this.#stopped.abort();
    this.#isWanted = false;
    this.#connection?.close();
  }

  /** Never rejects. */
  async #wait(): Promise<void> {
    this.#isWaiting = true;
    while (this.#isWanted) {
      const landed = await this.#waitOnce();
      if (landed) {
        this.#isWanted = false;
        this.#onLanded();
      }
    }
    this.#isWaiting = false;
  }

  /** Whether to look into the queue now. */
  async #waitOnce(): Promise<boolean> {
    const { clock, settings, logger } = this.#store;
    const { keys } = this.#holder;
    try {
      const id = await this.#holder.consumerId();
      this.#connection ??= await Connection.open({ ...this.#store, silenceMs: blockSeconds * 1000 + 3000 });
      if (this.#stopped.signal.aborted) {
        this.#connection.close();
        return false;
      }
      await this.#connection.ready(clock.monotonic() + settings.timeoutMs);
      const args = [keys.lists[this.#list] ?? "", keys.landing(id, this.#list), "RIGHT", "LEFT", blockSeconds];
      return (await this.#connection.call("blmove", ...args)) !== null;
    } catch (error) {
      if (this.#stopped.signal.aborted) return false;
      logger.debug({ err: error, queue: keys.queue }, "waiting for a message failed; looking instead");
      await sleep(clock, pauseMs, this.#stopped.signal);
      return !this.#stopped.signal.aborted;
    }
  }
}
