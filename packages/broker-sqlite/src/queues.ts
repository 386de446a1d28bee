import { BrokerError, type QueueOptions } from "@q/core/broker";
import type { Connection } from "./connection.ts";

/** A queue as its row has it. */
export interface QueueRow {
  readonly id: number;
  readonly name: string;
  /** Whether it was declared with priorities; `null` when it was used without being declared. */
  readonly priorities: 0 | 1 | null;
}

/** The place of a message among those of other priorities: lower goes first. */
export function rankOf(priority: number, queue: QueueRow): number {
  return queue.priorities === 1 ? 9 - priority : 0;
}

/** The queues of the file. Rows are never deleted and a declared shape never changes, so what was read once stays true. */
export class Queues {
  readonly #connection: Connection;
  readonly #declared = new Map<string, QueueRow>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  find(name: string): QueueRow | undefined {
    const known = this.#declared.get(name);
    if (known !== undefined) return known;
    return this.#connection.get<QueueRow>("SELECT id, name, priorities FROM queue WHERE name = ?", name);
  }

  /** The queue, made when it is missing: a message must not be refused because of the order in which processes start. Only inside a transaction. */
  findOrMake(name: string): QueueRow {
    const found = this.find(name);
    if (found !== undefined) return found;
    this.#connection.run("INSERT INTO queue (name) VALUES (?)", name);
    return this.findOrMake(name);
  }

  /** The highest position that was given in it. */
  lastPosition(queueId: number): number {
    const row = this.#connection.get<{ last: number }>("SELECT last_position AS last FROM queue WHERE id = ?", queueId);
    return row?.last ?? 0;
  }

  /**
   * Only inside a transaction, which rolls back when this throws.
   * @throws BrokerError `Q1004`
   */
  declare(queues: readonly QueueOptions[]): void {
    for (const { name, priorities } of queues) {
      const queue = this.findOrMake(name);
      if (queue.priorities === null) {
        this.#connection.run("UPDATE queue SET priorities = ? WHERE id = ?", Number(priorities), queue.id);
        // What was sent before the declaration takes its place by priority now.
        if (priorities) this.#connection.run("UPDATE message SET rank = 9 - priority WHERE queue_id = ?", queue.id);
      } else if ((queue.priorities === 1) !== priorities) {
        const has = queue.priorities === 1 ? "with" : "without";
        throw new BrokerError("Q1004", `queue "${name}" exists ${has} priorities in ${this.#connection.address}`, {
          hint: `declare it with priorities: ${String(!priorities)}, or use another name`,
        });
      }
    }
  }

  /** Remembers the shape of declared queues. Outside of a transaction, because what one wrote may be undone. */
  remember(names: Iterable<string>): void {
    for (const name of names) {
      if (this.#declared.has(name)) continue;
      const row = this.find(name);
      if (row !== undefined && row.priorities !== null) this.#declared.set(name, row);
    }
  }
}
