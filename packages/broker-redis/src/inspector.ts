import {
  readyAtHeader,
  type DeadLetter,
  type Page,
  type PageOptions,
  type PeekedMessage,
  type QueueInspector,
  type QueueStats,
  type Redrive,
  type WaitingState,
} from "@q/core/broker";
import { dropDead, listDead, redriveDead } from "./dead-letters.ts";
import { decodeEnvelope } from "./envelope.ts";
import { peekQueue } from "./peek.ts";
import { purge } from "./scripts/purge.ts";
import { stats, type Counts } from "./scripts/stats.ts";
import type { Store } from "./store.ts";

/** What an operator sees and does. Nothing walks a queue, so that a look at millions keeps nobody waiting. */
export class RedisInspector implements QueueInspector {
  readonly #store: () => Store;

  /** @param store throws while the broker is not open */
  constructor(store: () => Store) {
    this.#store = store;
  }

  async queues(): Promise<readonly string[]> {
    const { connection, queues } = await this.#ready();
    const names = await queues.registered(connection);
    return names.toSorted();
  }

  async stats(queue: string): Promise<QueueStats> {
    const { connection, queues } = await this.#ready();
    const counts = await stats(connection, queues.keysOf(queue));
    const { ready, delayed, inFlight, dead, consumers, paused } = counts;
    return { queue, ready, delayed, inFlight, dead, consumers, paused, oldestReadyMs: oldestReadyMs(counts, queue) };
  }

  async peek(queue: string, state: WaitingState, options: PageOptions): Promise<Page<PeekedMessage>> {
    return peekQueue(await this.#ready(), queue, { ...options, state });
  }

  async purge(queue: string): Promise<number> {
    const { connection, queues } = await this.#ready();
    return purge(connection, queues.keysOf(queue));
  }

  async pause(queue: string): Promise<void> {
    const { connection, queues } = await this.#ready();
    await connection.call("hset", queues.keysOf(queue).meta, "paused", 1);
  }

  async resume(queue: string): Promise<void> {
    const { connection, queues } = await this.#ready();
    await connection.call("hdel", queues.keysOf(queue).meta, "paused");
  }

  async deadLetters(queue: string, options: PageOptions): Promise<Page<DeadLetter>> {
    return listDead(await this.#ready(), queue, options);
  }

  async redrive(queue: string, entries: readonly Redrive[]): Promise<number> {
    return redriveDead(await this.#ready(), queue, entries);
  }

  async drop(queue: string, entryIds: readonly string[]): Promise<number> {
    return dropDead(await this.#ready(), queue, entryIds);
  }

  /** A connection that was just cut off is soon there again. */
  async #ready(): Promise<Store> {
    const store = this.#store();
    await store.connection.ready(store.clock.monotonic() + store.settings.timeoutMs);
    return store;
  }
}

/** A list keeps no times: its messages tell, except those of other programs. */
function oldestReadyMs({ now, dueForMs, next }: Counts, queue: string): number | null {
  let oldest = dueForMs;
  for (const text of next) {
    const message = decodeEnvelope(text, queue);
    const readyAt = "malformed" in message ? undefined : message.headers[readyAtHeader];
    if (typeof readyAt !== "number") return null;
    oldest = Math.max(oldest, now - readyAt);
  }
  return oldest;
}
