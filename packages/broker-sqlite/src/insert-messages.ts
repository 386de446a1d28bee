import type { Connection } from "./connection.ts";
import { rankOf, type QueueRow, type Queues } from "./queues.ts";
import { dueIn } from "./settle.ts";
import type { SqliteValue } from "./sqlite-driver.ts";
import type { EncodedMessage } from "./stored-message.ts";
import type { Store } from "./store.ts";

/** Rows of one INSERT: far cheaper together than one by one, and from here on no more so. */
const mostRows = 16;
/** What messages that are sent together mostly have in common: given once for all rows, since each value that is handed to SQLite costs. */
const sharedColumns = ["queue_id", "state", "rank", "priority", "properties"];
const ownColumns = ["position", "due_at", "id", "headers", "body"];

/** Adds rows at the tail, in their order. Only inside a transaction. */
export function insertMessages({ connection, queues, clock }: Store, messages: readonly EncodedMessage[]): void {
  const now = clock.now();
  const tails = new Map<string, Tail>();
  const insert = new Insert(connection);
  for (const { id, priority, headers, properties, body, delayMs, queue: name } of messages) {
    let tail = tails.get(name);
    if (tail === undefined) {
      tail = tailOf(queues, name);
      tails.set(name, tail);
    }
    const { queue } = tail;
    const { state, dueAt } = dueIn(delayMs, now);
    tail.position += 1;
    insert.add(
      [queue.id, state, rankOf(priority, queue), priority, properties],
      [tail.position, dueAt, id, headers, body],
    );
  }
  insert.run();
}

/** Where the next message of a queue goes. */
interface Tail {
  readonly queue: QueueRow;
  /** The last one that was given. */
  position: number;
}

function tailOf(queues: Queues, name: string): Tail {
  const queue = queues.findOrMake(name);
  return { queue, position: queues.lastPosition(queue.id) };
}

/** Gathers rows next to each other that share values, as many as one statement takes. */
class Insert {
  readonly #connection: Connection;
  #values: SqliteValue[] = [];
  #rows = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  add(shared: readonly SqliteValue[], own: readonly SqliteValue[]): void {
    if (this.#rows === mostRows || shared.some((value, at) => value !== this.#values[at])) this.run();
    if (this.#rows === 0) this.#values = [...shared];
    this.#values.push(...own);
    this.#rows += 1;
  }

  /** Adds to the table what was gathered. */
  run(): void {
    if (this.#rows > 0) this.#connection.run(insertOf(this.#rows), ...this.#values);
    this.#rows = 0;
  }
}

const columns = [...sharedColumns, ...ownColumns];
const insertOne = `INSERT INTO message (${columns.join(", ")}) VALUES (${placeholders(columns)})`;
/** Statements for more than one row, by how many. */
const insertsOfSeveral = new Map<number, string>();

/** For the values that rows share, then those of each row. */
function insertOf(rows: number): string {
  if (rows === 1) return insertOne;
  let sql = insertsOfSeveral.get(rows);
  if (sql === undefined) {
    const values = Array<string>(rows)
      .fill(`(${placeholders(ownColumns)})`)
      .join(", ");
    sql = `INSERT INTO message (${columns.join(", ")})
      SELECT * FROM (SELECT ${placeholders(sharedColumns)}) CROSS JOIN (VALUES ${values})`;
    insertsOfSeveral.set(rows, sql);
  }
  return sql;
}

function placeholders(columnNames: readonly string[]): string {
  return columnNames.map(() => "?").join(", ");
}
