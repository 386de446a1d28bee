import type {
  DeadLetter,
  Page,
  PageOptions,
  PeekedMessage,
  QueueInspector,
  QueueStats,
  Redrive,
  WaitingState,
} from "../broker/inspector.ts";
import type { Clock } from "../clock.ts";
import type { MemoryConnection } from "./memory-connection.ts";
import type { MemoryQueue } from "./memory-queue.ts";
import type { MemoryStore } from "./memory-store.ts";
import { isMalformed, messageOf, replaceHeaders, sizeOf, type StoredMessage } from "./stored-message.ts";

/** An operator's view of a memory store. Looking walks the whole queue: it is made for tests. */
export class MemoryInspector implements QueueInspector {
  readonly #store: MemoryStore;
  readonly #connection: MemoryConnection;
  readonly #clock: Clock;

  constructor(store: MemoryStore, connection: MemoryConnection) {
    this.#store = store;
    this.#connection = connection;
    this.#clock = store.clock;
  }

  async queues(): Promise<readonly string[]> {
    return this.#connection.request(() => this.#store.queueNames());
  }

  async stats(name: string): Promise<QueueStats> {
    const queue = this.#connection.request(() => this.#store.knownQueue(name));
    if (queue === undefined)
      return { queue: name, ready: 0, delayed: 0, inFlight: 0, dead: 0, oldestReadyMs: 0, consumers: 0, paused: false };
    const now = this.#clock.monotonic();
    queue.promote(now);
    const oldest = queue.ready().reduce((earliest, { at }) => Math.min(earliest, at), now);
    return {
      queue: name,
      ready: queue.readyCount,
      delayed: queue.delayedCount,
      inFlight: queue.inFlight.size,
      dead: queue.dead.size,
      oldestReadyMs: now - oldest,
      consumers: new Set([...queue.listeners].map((listener) => listener.owner)).size,
      paused: queue.paused,
    };
  }

  async peek(name: string, state: WaitingState, { limit, cursor }: PageOptions): Promise<Page<PeekedMessage>> {
    const queue = this.#connection.request(() => this.#store.queue(name));
    queue.promote(this.#clock.monotonic());
    const all = waiting(queue, state);
    const from = cursor === undefined ? 0 : Number(cursor);
    const items = all.slice(from, from + limit).map((stored) => ({
      message: messageOf(stored, name),
      state,
      dueAt: state === "in-flight" ? null : Math.round(this.#clock.now() + stored.at - this.#clock.monotonic()),
    }));
    return { items, next: from + limit < all.length ? String(from + limit) : null };
  }

  async purge(name: string): Promise<number> {
    return this.#connection.request(() => this.#store.knownQueue(name)?.purge() ?? 0);
  }

  async pause(name: string): Promise<void> {
    this.#connection.request(() => this.#store.queue(name)).paused = true;
  }

  async resume(name: string): Promise<void> {
    const queue = this.#connection.request(() => this.#store.queue(name));
    queue.paused = false;
    queue.wake();
  }

  async deadLetters(name: string, { limit, cursor }: PageOptions): Promise<Page<DeadLetter>> {
    const queue = this.#connection.request(() => this.#store.queue(name));
    const older = [...queue.dead]
      .toReversed()
      .filter(([, dead]) => cursor === undefined || dead.number < Number(cursor));
    const page = older.slice(0, limit);
    const items = page.map(([entryId, { stored, reason, diedAt }]) => ({
      entryId,
      message: messageOf(stored, name),
      reason,
      diedAt,
      size: sizeOf(stored),
    }));
    const last = page.at(-1)?.[1];
    return { items, next: last !== undefined && older.length > limit ? String(last.number) : null };
  }

  async redrive(name: string, entries: readonly Redrive[]): Promise<number> {
    const queue = this.#connection.request(() => this.#store.queue(name));
    const redriven = entries.filter((entry) => this.#redriveOne(queue, entry));
    queue.wake();
    return redriven.length;
  }

  async drop(name: string, entryIds: readonly string[]): Promise<number> {
    const queue = this.#connection.request(() => this.#store.queue(name));
    return entryIds.filter((entryId) => queue.dead.delete(entryId)).length;
  }

  #redriveOne(queue: MemoryQueue, { entryId, headers }: Redrive): boolean {
    const dead = queue.dead.get(entryId);
    if (dead === undefined || isMalformed(dead.stored)) return false;
    queue.dead.delete(entryId);
    dead.stored.crashes = 0;
    replaceHeaders(dead.stored, headers);
    queue.addLast(dead.stored, this.#clock.monotonic());
    return true;
  }
}

function waiting(queue: MemoryQueue, state: WaitingState): StoredMessage[] {
  switch (state) {
    case "ready":
      return queue.ready();
    case "delayed":
      return queue.delayed();
    case "in-flight":
      return [...queue.inFlight].map((held) => held.stored);
  }
}
