import { createHash, randomUUID } from "node:crypto";
import {
  PublishFailed,
  type OncePublisher,
  type OutgoingMessage,
  type PublishRejected,
  type PublishUnknown,
} from "@q/core/broker";
import { pushedAtOnce, readyToPush, type Dated } from "./ready-to-push.ts";
import { publish, type Push } from "./scripts/publish.ts";
import { publishOnce } from "./scripts/publish-once.ts";
import type { Store } from "./store.ts";
import { publishError, untilAnswered } from "./until-answered.ts";

/** Messages of one script call: a larger batch would keep Redis from everything else for too long. */
const batchSize = 1000;

/** The batches of one queue. Redis knows a repeated one by its number, so there is one under way at a time. */
interface Lane {
  sequence: number;
  turn: Promise<void>;
}

/** Stores messages. */
export class Publisher implements OncePublisher {
  readonly #store: Store;
  readonly #producerId: string = randomUUID();
  readonly #lanes = new Map<string, Lane>();

  constructor(store: Store) {
    this.#store = store;
  }

  async publish(messages: readonly OutgoingMessage[]): Promise<void> {
    // All of them, before the first is stored: a message that cannot be stored then rejects the call as a whole.
    const batches = this.#batches(messages);
    const results = await Promise.allSettled(batches.map(({ queue, pushes }) => this.#inTurn(queue, pushes)));
    const failures = new Map<number, PublishRejected | PublishUnknown>();
    results.forEach((result, index) => {
      if (result.status === "fulfilled") return;
      const error = publishError(result.reason);
      for (const position of batches[index]?.positions ?? []) failures.set(position, error);
    });
    const [first] = failures.values();
    if (first === undefined) return;
    throw failures.size === messages.length ? first : new PublishFailed(failures);
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
        const [placed = push] = await this.#placed(message.queue, [push]);
        return await publishOnce(publishing, queues.keysOf(message.queue), { ...once, push: placed });
      });
      if (stored === "published") delays.announce(message.queue, push.delayMs);
      return stored;
    } catch (error) {
      throw publishError(error);
    }
  }

  #batches(messages: readonly OutgoingMessage[]): { queue: string; pushes: Dated[]; positions: number[] }[] {
    const batches: { queue: string; pushes: Dated[]; positions: number[] }[] = [];
    const open = new Map<string, (typeof batches)[number]>();
    messages.forEach((message, position) => {
      let batch = open.get(message.queue);
      if (batch === undefined || batch.pushes.length === batchSize) {
        batch = { queue: message.queue, pushes: [], positions: [] };
        open.set(message.queue, batch);
        batches.push(batch);
      }
      batch.pushes.push(readyToPush(this.#store, message));
      batch.positions.push(position);
    });
    return batches;
  }

  #inTurn(queue: string, pushes: readonly Dated[]): Promise<void> {
    const lane = this.#lanes.get(queue) ?? { sequence: 0, turn: Promise.resolve() };
    this.#lanes.set(queue, lane);
    const result = lane.turn.then(() => {
      lane.sequence += 1;
      return this.#storeBatch(queue, { sequence: lane.sequence, pushes });
    });
    // The next one does not care how this one ended.
    lane.turn = result.catch(() => undefined);
    return result;
  }

  async #storeBatch(
    queue: string,
    numbered: { readonly sequence: number; readonly pushes: readonly Dated[] },
  ): Promise<void> {
    const { publishing, queues, settings, delays } = this.#store;
    const batch = { producerId: this.#producerId, replicas: settings.replicas, sequence: numbered.sequence };
    await untilAnswered(this.#store, async () => {
      const pushes = await this.#placed(queue, numbered.pushes);
      await publish(publishing, queues.keysOf(queue), { ...batch, pushes });
    });
    for (const { delayMs } of numbered.pushes) delays.announce(queue, delayMs);
  }

  /**
   * Only our consumers make delayed messages ready. While none has ever been at a queue, it is Celery's: its workers look into the lists alone, and
   * keep what has an eta until then. Should one of ours come after all, core puts back what comes too early.
   */
  async #placed(queue: string, pushes: readonly Dated[]): Promise<readonly Push[]> {
    if (!pushes.some(({ dated }) => dated !== undefined)) return pushes;
    const { publishing, queues } = this.#store;
    const { meta, lease } = queues.keysOf(queue);
    const isOurs =
      (await publishing.call("zcard", lease)) !== 0 || (await publishing.call("hget", meta, "tag")) !== null;
    if (isOurs) return pushes;
    return pushes.map((push) => (push.dated === undefined ? push : pushedAtOnce(this.#store, push.dated)));
  }
}
