import type { Connection } from "./connection.ts";

/** Numbers drawn from the file at a time. */
const block = 100;

/**
 * Numbers that only grow, shared by everybody on the file: sessions, fences, entries of dead letters. They are drawn in blocks, and a block belongs to one
 * transaction, so that later transactions have higher numbers. Unused ones are skipped; there are 2^53.
 */
export class Sequence {
  readonly #connection: Connection;
  #next = 1;
  #last = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Call it at the start of each transaction. */
  begin(): void {
    this.#last = this.#next - 1;
  }

  /** The first of `count` numbers in a row. Only inside a transaction. */
  take(count = 1): number {
    if (this.#last - this.#next + 1 < count) {
      const size = Math.max(block, count);
      const row = this.#connection.get<{ value: number }>(
        "UPDATE sequence SET value = value + ? RETURNING value",
        size,
      );
      if (row === undefined) throw new Error("the table sequence has no row");
      this.#last = row.value;
      this.#next = row.value - size + 1;
    }
    this.#next += count;
    return this.#next - count;
  }
}
