import {
  readCursor,
  rowsFor,
  writeCursor,
  type Page,
  type PageOptions,
  type PeekedMessage,
  type Place,
  type WaitingState,
} from "@q/core/broker";
import { decodeMessage, messageColumns, type MessageRow } from "./stored-message.ts";
import type { Store } from "./store.ts";

interface PeekedRow extends MessageRow {
  readonly seq: number;
  readonly rank: number;
  readonly position: number;
  readonly dueAt: number;
}

/** One way in which waiting messages are sorted, with the keys that say where a page ended. */
interface List {
  /** Takes the queue, where `isByTime` the present, the keys, and how many. */
  readonly sql: string;
  readonly isByTime: boolean;
  readonly keysOf: (row: PeekedRow) => readonly number[];
  /** Sorts before every row. */
  readonly start: readonly number[];
}

const select = `SELECT seq, rank, position, due_at AS dueAt, ${messageColumns} FROM message`;

const ready: List = {
  sql: `${select} INDEXED BY message_ready WHERE queue_id = ? AND state = 0
    AND (rank, position, seq) > (?, ?, ?) ORDER BY rank, position, seq LIMIT ?`,
  isByTime: false,
  keysOf: ({ rank, position, seq }) => [rank, position, seq],
  start: [-1, -1, -1],
};
/** Delayed in the file, and due: the next claim makes them ready. */
const due: List = {
  sql: `${select} INDEXED BY message_delayed WHERE queue_id = ? AND state = 1 AND due_at <= ?
    AND (due_at, seq) > (?, ?) ORDER BY due_at, seq LIMIT ?`,
  isByTime: true,
  keysOf: ({ dueAt, seq }) => [dueAt, seq],
  start: [-1, -1],
};
const delayed: List = {
  ...due,
  sql: `${select} INDEXED BY message_delayed WHERE queue_id = ? AND state = 1 AND due_at > ?
    AND (due_at, seq) > (?, ?) ORDER BY due_at, seq LIMIT ?`,
};
/** As many rows as there are in the hands of consumers, of all queues, are read and sorted. */
const inFlight: List = {
  sql: `${select} INDEXED BY message_in_flight WHERE queue_id = ? AND state = 2
    AND seq > ? ORDER BY seq LIMIT ?`,
  isByTime: false,
  keysOf: ({ seq }) => [seq],
  start: [-1],
};

const lists: Readonly<Record<string, List>> = { ready, due, delayed, "in-flight": inFlight };
const keyCounts = Object.fromEntries(Object.entries(lists).map(([name, { start }]) => [name, start.length]));
/** What is due comes behind what is ready, as it will be delivered. */
const listsOf: Readonly<Record<WaitingState, readonly string[]>> = {
  ready: ["ready", "due"],
  delayed: ["delayed"],
  "in-flight": ["in-flight"],
};

/** A page of what waits. */
export function peekQueue(
  store: Store,
  queueName: string,
  options: PageOptions & { readonly state: WaitingState },
): Page<PeekedMessage> {
  const { connection, clock } = store;
  const queue = store.queues.find(queueName);
  const names = listsOf[options.state];
  const from = readCursor(options.cursor, pick(keyCounts, names));
  if (queue === undefined) return { items: [], next: null };
  const limit = rowsFor(options.limit);
  const now = clock.now();
  const rows: { readonly row: PeekedRow; readonly place: Place }[] = [];
  for (const name of names.slice(from === undefined ? 0 : names.indexOf(from.list))) {
    const list = lists[name];
    if (list === undefined || rows.length === limit) break;
    const keys = from?.list === name ? from.keys : list.start;
    const present = list.isByTime ? [now] : [];
    const found = connection.all<PeekedRow>(list.sql, queue.id, ...present, ...keys, limit - rows.length);
    rows.push(...found.map((row) => ({ row, place: { list: name, keys: list.keysOf(row) } })));
  }
  const page = rows.slice(0, limit - 1);
  const last = page.at(-1);
  return {
    items: page.map(({ row }) => ({
      message: decodeMessage(row, queueName, { table: "message", seq: row.seq }, connection),
      state: options.state,
      dueAt: options.state === "in-flight" ? null : row.dueAt,
    })),
    next: last === undefined || rows.length < limit ? null : writeCursor(last.place),
  };
}

function pick(counts: Readonly<Record<string, number>>, names: readonly string[]): Record<string, number> {
  return Object.fromEntries(names.map((name) => [name, counts[name] ?? 0]));
}
