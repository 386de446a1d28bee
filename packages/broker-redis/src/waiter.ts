import { sleep } from "@q/core/broker";
import { Connection } from "./connection.ts";
import type { Holder, Landed } from "./holder.ts";
import type { Incarnation } from "./incarnation.ts";
import { mostTakenAlong } from "./scripts/take-landed.ts";
import type { Store } from "./store.ts";

/** Longest that Redis lets us wait in one call. Seconds. Nothing depends on it but how often an idle worker says something. */
const blockSeconds = 10;
/** A wait that fails, because memory is full or a key has another type, is tried again after this. Milliseconds. */
const pauseMs = 100;

/** Nobody knows what landed. */
const unknown: Landed = { deliveries: [], mayHaveMore: true };

/**
 * Waits for the next message of one list, without polling: Redis itself moves it to where only this consumer looks. When the answer is lost, the
 * message is there all the same. What takes it, and those that came with it, is written right behind the wait: they need no further round trip.
 */
export class Waiter {
  readonly #store: Store;
  readonly #holder: Holder;
  readonly #list: number;
  readonly #onLanded: (landed: Landed) => Promise<void>;
  readonly #stopped = new AbortController();
  #connection: Connection | undefined;
  #isWaiting = false;
  #isWanted = false;
  #most = 1;
  /** A wait that Redis knows of, until what it brought is dealt with. */
  #underWay: Promise<unknown> | undefined;

  /** @param onLanded deals with what a wait brought, and arms it again if there is room for more; never rejects */
  constructor(
    store: Store,
    options: {
      readonly holder: Holder;
      readonly list: number;
      readonly onLanded: (landed: Landed) => Promise<void>;
    },
  ) {
    this.#store = store;
    this.#holder = options.holder;
    this.#list = options.list;
    this.#onLanded = options.onLanded;
  }

  /** Waits for a message, and takes at most `most` then. While a wait is under way, it goes on as it is. */
  arm(most: number): void {
    // A look that was under way when it was stopped still ends with this.
    if (this.#stopped.signal.aborted) return;
    this.#isWanted = true;
    this.#most = Math.max(1, Math.min(most, mostTakenAlong));
    if (!this.#isWaiting) void this.#wait();
  }

  /** Does not begin another wait. One that is under way may still bring something. */
  disarm(): void {
    this.#isWanted = false;
  }

  /** Resolves when nothing can land or be taken any more: Redis has closed its side too, unless it is silent. Never rejects. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#isWanted = false;
    this.#connection?.close();
    await this.#underWay;
  }

  /** Never rejects. */
  async #wait(): Promise<void> {
    this.#isWaiting = true;
    while (this.#isWanted) {
      try {
        await this.#waitOnce();
      } catch (error) {
        await this.#pause(error);
      }
    }
    this.#isWaiting = false;
  }

  /** @throws BrokerError */
  async #waitOnce(): Promise<void> {
    const { clock, settings } = this.#store;
    const incarnation = await this.#holder.current();
    this.#connection ??= await Connection.open({ ...this.#store, silenceMs: blockSeconds * 1000 + 3000 });
    const connection = this.#connection;
    if (this.#stopped.signal.aborted) return connection.close();
    await connection.ready(clock.monotonic() + settings.timeoutMs);
    if (this.#stopped.signal.aborted) return;
    const waiting = this.#landOnce(connection, incarnation);
    this.#underWay = waiting.catch(() => undefined);
    await waiting;
  }

  /** @throws BrokerError */
  async #landOnce(connection: Connection, incarnation: Incarnation): Promise<void> {
    const { keys } = this.#holder;
    const args = [keys.lists[this.#list] ?? "", keys.landing(incarnation.id, this.#list), "RIGHT", "LEFT"];
    // Nothing comes in between, and Redis is woken once.
    const answers = connection.inOneWrite(
      () =>
        [
          // As bytes: nobody reads what it answers, and to make text of it takes its time.
          connection.callBuffer("blmove", ...args, blockSeconds),
          this.#holder.takeLanded(connection, incarnation, { list: this.#list, most: this.#most }),
        ] as const,
    );
    const [moved, taken] = await Promise.allSettled(answers);
    // Each may have failed without the other.
    if (taken.status === "fulfilled" && taken.value.deliveries.length > 0) return await this.#land(taken.value);
    if (moved.status === "rejected") throw moved.reason;
    if (taken.status === "rejected") throw taken.reason;
    if (moved.value !== null || taken.value.mayHaveMore) await this.#land(unknown);
  }

  async #land(landed: Landed): Promise<void> {
    this.#isWanted = false;
    await this.#onLanded(landed);
  }

  async #pause(error: unknown): Promise<void> {
    const { clock, logger } = this.#store;
    if (this.#stopped.signal.aborted) return;
    logger.debug({ err: error, queue: this.#holder.queue }, "waiting for a message failed; looking instead");
    await sleep(clock, pauseMs, this.#stopped.signal);
    if (!this.#stopped.signal.aborted) await this.#land(unknown);
  }
}
