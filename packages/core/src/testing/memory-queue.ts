import { MinHeap } from "./min-heap.ts";
import { ReadyLine } from "./ready-line.ts";
import type { DeadMessage, StoredMessage } from "./stored-message.ts";

const highestPriority = 9;

/** A consumer that wants to hear of messages. */
export interface QueueListener {
  wake(): void;
  /** Whose consumer it is: one process counts once. */
  readonly owner: object;
}

/**
 * One queue in the store. A message is in exactly one place:
 *
 * | place     | comes from                            | goes to                        |
 * |-----------|---------------------------------------|--------------------------------|
 * | ready     | publish, requeue, release, crash, redrive | in flight                      |
 * | delayed   | publish, requeue, second crash        | ready, when due                |
 * | in flight | ready                                 | ready, delayed, dead, nowhere  |
 * | dead      | bury                                  | ready (redrive), nowhere (drop) |
 */
export class MemoryQueue {
  readonly name: string;
  /** Undefined until somebody declares it. */
  priorities: boolean | undefined;
  paused = false;
  readonly inFlight: Set<{ readonly stored: StoredMessage }> = new Set();
  /** By entry id, oldest first. */
  readonly dead: Map<string, DeadMessage> = new Map();
  readonly listeners: Set<QueueListener> = new Set();
  /** By priority. */
  #lines: readonly ReadyLine<StoredMessage>[] = emptyLines();
  readonly #delayed: MinHeap<StoredMessage> = new MinHeap(
    (a, b) => a.at < b.at || (a.at === b.at && a.order < b.order),
  );
  #order = 0;

  constructor(name: string) {
    this.name = name;
  }

  addLast(stored: StoredMessage, now: number): void {
    this.#enter(stored, now);
    this.#lineOf(stored).addLast(stored);
  }

  addFirst(stored: StoredMessage, now: number): void {
    this.#enter(stored, now);
    this.#lineOf(stored).addFirst(stored);
  }

  addDelayed(stored: StoredMessage, dueAt: number): void {
    this.#enter(stored, dueAt);
    this.#delayed.push(stored);
  }

  /** The next message, out of the ready ones. */
  take(now: number): StoredMessage | undefined {
    this.promote(now);
    for (let priority = highestPriority; priority >= 0; priority -= 1) {
      const stored = this.#lines[priority]?.take();
      if (stored !== undefined) return stored;
    }
    return undefined;
  }

  /** Makes ready what is due. */
  promote(now: number): void {
    for (let next = this.#delayed.peek(); next !== undefined && next.at <= now; next = this.#delayed.peek()) {
      this.#delayed.pop();
      this.addLast(next, next.at);
    }
  }

  /** When the next delayed message is due. */
  nextDueAt(): number | undefined {
    return this.#delayed.peek()?.at;
  }

  /** Next to be delivered first. */
  ready(): StoredMessage[] {
    return this.#lines.toReversed().flatMap((line) => line.items());
  }

  /** Next to be due first. */
  delayed(): StoredMessage[] {
    return this.#delayed.sorted();
  }

  get readyCount(): number {
    return this.#lines.reduce((sum, line) => sum + line.size, 0);
  }

  get delayedCount(): number {
    return this.#delayed.size;
  }

  /** Forgets what is ready or delayed; answers how many. */
  purge(): number {
    const count = this.readyCount + this.delayedCount;
    this.#lines = emptyLines();
    this.#delayed.keep(() => false);
    return count;
  }

  wake(): void {
    for (const listener of this.listeners) listener.wake();
  }

  #enter(stored: StoredMessage, at: number): void {
    stored.at = at;
    stored.order = this.#order++;
  }

  #lineOf(stored: StoredMessage): ReadyLine<StoredMessage> {
    const wanted = this.priorities === true && "priority" in stored.content ? stored.content.priority : 0;
    const priority = Math.min(highestPriority, Math.max(0, Math.trunc(wanted)));
    // There is a line for each of 0 to 9.
    return this.#lines[priority] as ReadyLine<StoredMessage>;
  }
}

function emptyLines(): ReadyLine<StoredMessage>[] {
  return Array.from({ length: highestPriority + 1 }, () => new ReadyLine<StoredMessage>());
}
