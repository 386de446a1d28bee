import {
  hasCode,
  sleep,
  type BrokerError,
  type BrokerMessage,
  type DeadReason,
  type Outcome,
  type Settled,
} from "@q/core/broker";
import { amqpError, ConnectionLost } from "./amqp-error.ts";
import type { Arrival } from "./arrival.ts";
import { deadConsignments } from "./dead-letter.ts";
import type { StoreAgain } from "./publisher.ts";
import type { Session } from "./session.ts";
import type { Store } from "./store.ts";

/** Marks that cannot be stored must not keep messages from going back. Milliseconds. */
const longestMarkMs = 2500;

/**
 * Carries out outcomes. RabbitMQ has no step that stores one message and forgets another: whatever goes elsewhere is stored there first, confirmed, and only
 * then acked. A connection that ends in between leaves two, never none.
 */
export class Settler {
  readonly #store: Store;
  readonly #releases = new Map<
    Session,
    { readonly arrival: Arrival; readonly resolve: (back: Promise<void>) => void }[]
  >();
  #acked: { readonly answer: Promise<void>; readonly settled: Promise<Settled> } | undefined;

  constructor(store: Store) {
    this.#store = store;
  }

  /** @throws BrokerError when the server may not have it */
  settle(arrival: Arrival, outcome: Outcome): Promise<Settled> {
    return outcome.kind === "ack" && arrival.crashes === 0 ? this.#ack(arrival) : this.#settleOne(arrival, outcome);
  }

  /** What nearly every message comes to. As many as have one answer share one promise. */
  #ack({ session, tag }: Arrival): Promise<Settled> {
    const answer = session.acks.ack(tag);
    if (this.#acked?.answer !== answer) {
      const settled = answer.then(
        (): Settled => "settled",
        (error: unknown) => {
          // What the server holds for us goes back with the channel.
          session.fail(error);
          throw this.#lost();
        },
      );
      this.#acked = { answer, settled };
    }
    return this.#acked.settled;
  }

  async #settleOne(arrival: Arrival, outcome: Outcome): Promise<Settled> {
    try {
      await this.#carryOut(arrival, outcome);
    } catch (error) {
      throw this.#notSettled(arrival, error);
    }
    if (arrival.crashes > 0 && outcome.kind !== "release") await this.#forget(arrival);
    return "settled";
  }

  /** Writes down that a suspect is about to run. */
  async start(arrival: Arrival): Promise<Settled> {
    const { queue, key, crashes, session } = arrival;
    await this.#store.marks.add(queue, [{ key, kind: "started", crashes }], session.lost);
    return session.lost.aborted ? "lost" : "settled";
  }

  /** Stores it once more, with a count of nought at the server, at the end of its queue. Never rejects. */
  async renew(arrival: Arrival): Promise<void> {
    const { message, session, tag, crashes } = arrival;
    try {
      await ("malformed" in message ? session.acks.requeue(tag) : this.#storeAgain(arrival, message, { crashes }));
    } catch (error) {
      this.#store.logger.debug(
        { err: this.#notSettled(arrival, error) },
        "a message that was handed out often could not be stored anew",
      );
    }
  }

  async #carryOut(arrival: Arrival, outcome: Outcome): Promise<void> {
    const { session, tag, message } = arrival;
    switch (outcome.kind) {
      case "ack":
        return await session.acks.ack(tag);
      case "requeue": {
        // What is malformed cannot be stored as a message, so it stays what it is.
        if ("malformed" in message) return await session.acks.requeue(tag);
        const { delayMs, headers = message.headers } = outcome;
        return await this.#storeAgain(arrival, { ...message, headers }, { delayMs });
      }
      case "bury":
        return await this.#bury(arrival, outcome.reason);
      case "release":
        return await this.#release(arrival);
    }
  }

  async #storeAgain(arrival: Arrival, message: BrokerMessage, options: StoreAgain): Promise<void> {
    const { session, tag, queue } = arrival;
    const { publisher, logger } = this.#store;
    try {
      await publisher.storeAgain(message, { ...options, signal: session.lost });
    } catch (error) {
      if (!hasCode(error, "Q1101") && !hasCode(error, "Q1018")) throw error;
      // It will not fit, or be allowed, the next time either: given back, it would run for ever.
      logger.error({ err: error, queue, message: message.id }, "a message that cannot be stored again is dead");
      return await this.#bury(arrival, { code: "unstorable", message: `it was to run again: ${String(error)}` });
    }
    await session.acks.ack(tag);
  }

  async #bury({ session, tag, message }: Arrival, reason: DeadReason): Promise<void> {
    const { publisher, clock } = this.#store;
    let unfit: unknown;
    for (const consignment of deadConsignments(message, { reason, diedAt: clock.now() })) {
      try {
        await publisher.send(consignment, { signal: session.lost });
        return await session.acks.ack(tag);
      } catch (error) {
        if (!hasCode(error, "Q1101")) throw error;
        unfit = error;
      }
    }
    throw unfit;
  }

  /** All that are given back in one turn of the event loop go back together. */
  async #release(arrival: Arrival): Promise<void> {
    const back = await new Promise<{ readonly done: Promise<void> }>((resolve) => {
      const { session } = arrival;
      const batch = this.#releases.get(session);
      const one = { arrival, resolve: (done: Promise<void>): void => resolve({ done }) };
      if (batch !== undefined) return void batch.push(one);
      this.#releases.set(session, [one]);
      setImmediate(() => void this.#giveBack(session));
    });
    await back.done;
  }

  /** Never rejects. */
  async #giveBack(session: Session): Promise<void> {
    const batch = this.#releases.get(session) ?? [];
    this.#releases.delete(session);
    const enough = new AbortController();
    void sleep(this.#store.clock, longestMarkMs, enough.signal).then(() => enough.abort());
    const queues = new Set(batch.map(({ arrival }) => arrival.queue));
    await Promise.all(
      [...queues].map((queue) =>
        this.#markReleased(
          queue,
          batch.map(({ arrival }) => arrival),
          enough.signal,
        ),
      ),
    );
    enough.abort();
    for (const { arrival, resolve } of batch) resolve(session.acks.requeue(arrival.tag));
  }

  /** Never rejects: unmarked, they count as held by a worker that died. */
  async #markReleased(queue: string, arrivals: readonly Arrival[], signal: AbortSignal): Promise<void> {
    const { marks, logger } = this.#store;
    const own = arrivals.filter((arrival) => arrival.queue === queue && arrival.isSorted);
    try {
      await marks.add(
        queue,
        own.map(({ key, crashes }) => ({ key, kind: "released", crashes })),
        signal,
      );
    } catch (error) {
      logger.warn({ err: error, queue, messages: own.length }, "messages are given back as if their worker had died");
    }
  }

  /** A message that is sent again under its id starts without a past. Never rejects. */
  async #forget({ queue, key }: Arrival): Promise<void> {
    const { marks, logger } = this.#store;
    await marks.add(queue, [{ key, kind: "gone", crashes: 0 }]).catch((error: unknown) => {
      logger.debug({ err: error, queue }, "an old mark could not be deleted; it is forgotten in three days");
    });
  }

  #notSettled(arrival: Arrival, error: unknown): BrokerError {
    const { settings, logger } = this.#store;
    if (arrival.session.lost.aborted) return this.#lost();
    // The server holds it for us until somebody says something. Nobody died of it.
    this.#release(arrival).catch((reason: unknown) => {
      logger.debug({ err: reason }, "the message goes back with its channel");
    });
    return amqpError(error, settings.address);
  }

  #lost(): ConnectionLost {
    const { address } = this.#store.settings;
    return new ConnectionLost(`the connection to RabbitMQ at ${address} ended before the outcome was stored`, {
      sent: true,
    });
  }
}
