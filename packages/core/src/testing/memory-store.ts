import { systemClock, type Clock } from "../clock.ts";
import { BrokerError } from "../broker/broker-error.ts";
import type { QueueOptions } from "../broker/broker.ts";
import type { OutgoingMessage } from "../broker/broker-message.ts";
import type { Outcome, Settled } from "../broker/delivery.ts";
import type { Publication } from "../broker/once.ts";
import { UsedKeys } from "../used-keys.ts";
import type { Held, Holder } from "./held.ts";
import { MemoryChannels } from "./memory-control-bus.ts";
import { MemoryLeaseTable } from "./memory-leases.ts";
import { MemoryQueue } from "./memory-queue.ts";
import { MemoryScheduleTable } from "./memory-schedules.ts";
import { replaceHeaders, storedGarbage, storedMessage, type StoredMessage } from "./stored-message.ts";

export interface MemoryStoreOptions {
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Milliseconds from a crash to the return of what the dead process held. Default 100. */
  readonly recoveryMs?: number;
  /** Milliseconds by which a message that was running in two crashes comes back later than that; doubles with each further crash. Default 100. */
  readonly crashDelayMs?: number;
}

/**
 * What a server is to other brokers: the queues that several memory brokers share. Each broker on it stands for one process.
 * Delays run on monotonic time, so setting the wall clock moves nothing.
 */
export class MemoryStore {
  readonly clock: Clock;
  readonly channels: MemoryChannels = new MemoryChannels();
  readonly leases: MemoryLeaseTable;
  readonly schedules: MemoryScheduleTable;
  readonly #recoveryMs: number;
  readonly #crashDelayMs: number;
  readonly #queues: Map<string, MemoryQueue> = new Map();
  readonly #usedKeys: UsedKeys;
  #deaths = 0;

  constructor(options: MemoryStoreOptions = {}) {
    this.clock = options.clock ?? systemClock;
    this.leases = new MemoryLeaseTable(this.clock);
    this.schedules = new MemoryScheduleTable(this.clock, (message) => this.publish([message]));
    this.#usedKeys = new UsedKeys(this.clock);
    this.#recoveryMs = options.recoveryMs ?? 100;
    this.#crashDelayMs = options.crashDelayMs ?? 100;
  }

  /** The queue of this name, made if need be. */
  queue(name: string): MemoryQueue {
    let queue = this.#queues.get(name);
    if (queue === undefined) this.#queues.set(name, (queue = new MemoryQueue(name)));
    return queue;
  }

  knownQueue(name: string): MemoryQueue | undefined {
    return this.#queues.get(name);
  }

  queueNames(): string[] {
    return [...this.#queues.keys()].toSorted();
  }

  /** @throws BrokerError `Q1004` when one exists in another shape; nothing is declared then */
  declare(queues: readonly QueueOptions[]): void {
    for (const { name, priorities } of queues) {
      const existing = this.#queues.get(name)?.priorities;
      if (existing === undefined || existing === priorities) continue;
      throw new BrokerError("Q1004", `queue "${name}" exists ${existing ? "with" : "without"} priorities`, {
        hint: `declare it with priorities: ${String(existing)}, or use another name`,
      });
    }
    for (const { name, priorities } of queues) this.queue(name).priorities = priorities;
  }

  publish(messages: readonly OutgoingMessage[]): void {
    const touched = new Set<MemoryQueue>();
    for (const message of messages) {
      const queue = this.queue(message.queue);
      this.#place(queue, storedMessage(message), message.delayMs ?? 0);
      touched.add(queue);
    }
    for (const queue of touched) queue.wake();
  }

  /** Stores the message unless the key was used in the last `ttlMs` milliseconds. */
  publishOnce(message: OutgoingMessage, key: string, ttlMs: number): Publication {
    if (this.#usedKeys.has(message.queue, key)) return "duplicate";
    this.publish([message]);
    this.#usedKeys.add(message.queue, key, ttlMs);
    return "published";
  }

  /** Puts bytes that are no message into a queue, as a foreign program might. */
  inject(queue: string, raw: Uint8Array): void {
    const target = this.queue(queue);
    target.addLast(storedGarbage(raw), this.clock.monotonic());
    target.wake();
  }

  /** Hands the next message of the queue to the holder. */
  take(queue: MemoryQueue, holder: Holder): Held | undefined {
    if (queue.paused) return undefined;
    const stored = queue.take(this.clock.monotonic());
    if (stored === undefined) return undefined;
    stored.fence += 1;
    const held: Held = { queue, stored, holder, fence: stored.fence, started: false, onLost: undefined };
    holder.held.add(held);
    queue.inFlight.add(held);
    return held;
  }

  start(held: Held): Settled {
    if (!held.holder.held.has(held)) return "lost";
    held.started = true;
    return "settled";
  }

  settle(held: Held, outcome: Outcome): Settled {
    if (!this.#leave(held)) return "lost";
    const { queue, stored } = held;
    switch (outcome.kind) {
      case "ack":
        return "settled";
      case "requeue":
        stored.crashes = 0;
        replaceHeaders(stored, outcome.headers);
        this.#place(queue, stored, outcome.delayMs);
        break;
      case "release":
        queue.addFirst(stored, this.clock.monotonic());
        break;
      case "bury":
        this.#deaths += 1;
        queue.dead.set(`dead-${this.#deaths}`, {
          number: this.#deaths,
          stored,
          reason: outcome.reason,
          diedAt: this.clock.now(),
        });
        return "settled";
    }
    queue.wake();
    return "settled";
  }

  /** Takes everything back, uncounted, in its old order: the process stops in good order. */
  giveBack(holder: Holder): void {
    this.#takeAway([...holder.held], ({ queue, stored }) => queue.addFirst(stored, this.clock.monotonic()));
  }

  /** The process is gone: its messages come back when the store is sure of it. */
  processDied(holder: Holder): void {
    // Only what it holds now: the same broker may be open again by then.
    const held = [...holder.held];
    this.clock.setTimer(this.#recoveryMs, () => this.#recover(held));
  }

  /** Takes everything back as after a crash, by the counting rule of `Delivery.crashes`. */
  recover(holder: Holder): void {
    this.#recover([...holder.held]);
  }

  #recover(held: readonly Held[]): void {
    const now = this.clock.monotonic();
    this.#takeAway(held, ({ queue, stored, started }) => {
      const guilty = stored.crashes === 0 || started;
      if (guilty) stored.crashes += 1;
      // A message that keeps killing its workers must not take the whole fleet down at once.
      if (guilty && stored.crashes >= 2) queue.addDelayed(stored, now + this.#crashDelayMs * 2 ** (stored.crashes - 2));
      else queue.addFirst(stored, now);
    });
  }

  #takeAway(taken: readonly Held[], putBack: (held: Held) => void): void {
    // Last taken goes first, so that the first taken ends at the head.
    const lost = taken.toReversed().filter((held) => this.#leave(held));
    for (const held of lost) putBack(held);
    for (const held of lost) held.onLost?.();
    for (const queue of new Set(lost.map((held) => held.queue))) queue.wake();
  }

  /** `false` when the holder does not hold it any more. */
  #leave(held: Held): boolean {
    held.queue.inFlight.delete(held);
    return held.holder.held.delete(held);
  }

  #place(queue: MemoryQueue, stored: StoredMessage, delayMs: number): void {
    const now = this.clock.monotonic();
    if (delayMs > 0) queue.addDelayed(stored, now + delayMs);
    else queue.addLast(stored, now);
  }
}
