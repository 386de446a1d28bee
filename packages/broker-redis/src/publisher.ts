import { createHash, randomUUID } from "node:crypto";
import {
  throwFailures,
  type OncePublisher,
  type OutgoingMessage,
  type PublishLimits,
  type PublishRejected,
  type PublishUnknown,
} from "@q/core/broker";
import { pushedAtOnce, readyToPush, type Dated } from "./ready-to-push.ts";
import { mostOfBatch, publish, shareOfBatch, type Push } from "./scripts/publish.ts";
import { publishOnce } from "./scripts/publish-once.ts";
import type { Store } from "./store.ts";
import { publishError, untilAnswered } from "./until-answered.ts";

/**
 * While Redis stores one call, the next one is made. One that leaves early keeps Redis at work, and what is made for it short-lived garbage. Where
 * Redis is far away, more gathers meanwhile, and calls are larger.
 */
export const publishLimits: PublishLimits = { messagesOfCall: 500, leavesAt: 64, callsAtOnce: 2 };

type Failure = PublishRejected | PublishUnknown;

/** What one script call stores. */
interface Batch {
  readonly queue: string;
  /** The same for all batches of one queue and call, which keeps their order. */
  readonly lane: Lane;
  readonly pushes: Dated[];
  /** Of each push among the messages. */
  readonly positions: number[];
  /** How full it is: at most 1, unless a single message is larger. */
  share: number;
}

/** Some of the batches of one queue, one at a time: Redis knows a repeated one by its number, and by the lane. */
interface Lane {
  readonly producer: string;
  sequence: number;
  /** How many are under way or wait. */
  load: number;
  /** The last of those. */
  turn: Promise<Failure | undefined>;
  /** When one of those had been stored, and others waited. Monotonic milliseconds. */
  movedAt: number;
}

/** Stores messages. */
export class Publisher implements OncePublisher {
  readonly #store: Store;
  readonly #producerId: string = randomUUID();
  /** Of each queue. */
  readonly #lanes = new Map<string, readonly Lane[]>();

  constructor(store: Store) {
    this.#store = store;
  }

  async publish(messages: readonly OutgoingMessage[]): Promise<void> {
    // All of them, before the first is stored: a message that cannot be stored then rejects the call as a whole.
    const batches = this.#batches(messages);
    const results = await Promise.all(batches.map((batch) => this.#inTurn(batch)));
    const failures = new Map<number, Failure>();
    results.forEach((failure, index) => {
      if (failure === undefined) return;
      for (const position of batches[index]?.positions ?? []) failures.set(position, failure);
    });
    throwFailures(failures, messages.length);
  }

  async publishOnce(message: OutgoingMessage, key: string, ttlMs: number): Promise<"published" | "duplicate"> {
    const push = readyToPush(this.#store, message);
    const keyHash = createHash("sha1").update(key).digest("hex");
    // Tells an own earlier attempt, whose answer was lost, from somebody else's.
    const attempt = randomUUID();
    const { publishing, queues, settings, delays } = this.#store;
    const once = { keyHash, ttlMs, attempt, replicas: settings.replicas };
    try {
      const stored = await untilAnswered(this.#store, async () => {
        const [placed = push] = push.dated === undefined ? [push] : await this.#placed(message.queue, [push]);
        return await publishOnce(publishing, queues.keysOf(message.queue), { ...once, push: placed });
      });
      if (stored === "published") delays.announce(message.queue, push.delayMs);
      return stored;
    } catch (error) {
      throw publishError(error);
    }
  }

  #batches(messages: readonly OutgoingMessage[]): readonly Batch[] {
    const batches: Batch[] = [];
    const open = new Map<string, Batch>();
    messages.forEach((message, position) => {
      const push = readyToPush(this.#store, message);
      const share = shareOfBatch(push);
      let batch = open.get(message.queue);
      if (batch === undefined || batch.pushes.length === mostOfBatch || batch.share + share > 1) {
        const { queue } = message;
        const lane = batch?.lane ?? this.#emptiestLane(queue);
        batch = { queue, lane, pushes: [], positions: [], share: 0 };
        open.set(queue, batch);
        batches.push(batch);
      }
      batch.pushes.push(push);
      batch.positions.push(position);
      batch.share += share;
    });
    return batches;
  }

  /** Never rejects: answers why it is not stored. */
  #inTurn(batch: Batch): Promise<Failure | undefined> {
    const { lane } = batch;
    const isFirst = lane.load === 0;
    lane.load += 1;
    if (isFirst) return (lane.turn = this.#storeBatch(batch));
    const { clock } = this.#store;
    const waitsSince = clock.monotonic();
    // How the one before has ended does not matter. While none is stored, the time of all runs: they do not wait for it one after the other.
    lane.turn = lane.turn.then(() => this.#storeBatch(batch, Math.max(waitsSince, lane.movedAt)));
    return lane.turn;
  }

  #emptiestLane(queue: string): Lane {
    let lanes = this.#lanes.get(queue);
    if (lanes === undefined) {
      const newLane = (_: unknown, index: number): Lane => ({
        producer: `${this.#producerId}.${index}`,
        sequence: 0,
        load: 0,
        turn: Promise.resolve(undefined),
        movedAt: 0,
      });
      lanes = Array.from({ length: publishLimits.callsAtOnce }, newLane);
      this.#lanes.set(queue, lanes);
    }
    return lanes.reduce((emptiest, lane) => (lane.load < emptiest.load ? lane : emptiest));
  }

  /** Never rejects. @param since when its time began. Default: now */
  async #storeBatch({ queue, lane, pushes: dated }: Batch, since?: number): Promise<Failure | undefined> {
    const { publishing, queues, settings, delays, clock } = this.#store;
    lane.sequence += 1;
    const { producer, sequence } = lane;
    const { replicas } = settings;
    const store = (pushes: readonly Push[]): Promise<void> =>
      publish(publishing, queues.keysOf(queue), { producer, sequence, pushes, replicas });
    const isDated = dated.some((push) => push.dated !== undefined);
    try {
      await untilAnswered(
        this.#store,
        isDated ? async () => store(await this.#placed(queue, dated)) : () => store(dated),
        since,
      );
      if (lane.load > 1) lane.movedAt = clock.monotonic();
      for (const { delayMs } of dated) delays.announce(queue, delayMs);
      return undefined;
    } catch (error) {
      return publishError(error);
    } finally {
      lane.load -= 1;
    }
  }

  /**
   * Only our consumers make delayed messages ready. While none has ever been at a queue, it is Celery's: its workers look into the lists alone, and
   * keep what has an eta until then. Should one of ours come after all, core puts back what comes too early.
   */
  async #placed(queue: string, pushes: readonly Dated[]): Promise<readonly Push[]> {
    const { publishing, queues } = this.#store;
    const { meta, lease } = queues.keysOf(queue);
    const isOurs =
      (await publishing.call("zcard", lease)) !== 0 || (await publishing.call("hget", meta, "tag")) !== null;
    if (isOurs) return pushes;
    return pushes.map((push) => (push.dated === undefined ? push : pushedAtOnce(this.#store, push.dated)));
  }
}
