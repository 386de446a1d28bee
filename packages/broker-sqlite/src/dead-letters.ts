import {
  parseDeadReason,
  readCursor,
  rowsFor,
  writeCursor,
  type DeadLetter,
  type Page,
  type PageOptions,
  type Redrive,
} from "@q/core/broker";
import { rankOf, type QueueRow } from "./queues.ts";
import { decodeMessage, messageColumns, type MessageRow } from "./stored-message.ts";
import type { Store } from "./store.ts";

/** Entries that one transaction moves or deletes. */
const atOnce = 200;

interface DeadRow extends MessageRow {
  readonly entry: number;
  readonly reason: string;
  readonly diedAt: number;
  readonly size: number;
}

const select = `SELECT entry, reason, died_at AS diedAt,
    coalesce(length(CAST(headers AS BLOB)), 0) + coalesce(length(CAST(body AS BLOB)), 0) AS size, ${messageColumns} FROM dead`;

/** A page of dead letters, newest first. */
export function listDead(
  { connection, queues }: Store,
  queueName: string,
  { limit, cursor }: PageOptions,
): Page<DeadLetter> {
  const before = readCursor(cursor, { dead: 1 })?.keys[0] ?? Number.MAX_SAFE_INTEGER;
  const queue = queues.find(queueName);
  if (queue === undefined) return { items: [], next: null };
  const rows = connection.all<DeadRow>(
    `${select} INDEXED BY dead_newest WHERE queue_id = ? AND entry < ? ORDER BY entry DESC LIMIT ?`,
    queue.id,
    before,
    rowsFor(limit),
  );
  const page = rows.slice(0, rowsFor(limit) - 1);
  const last = page.at(-1);
  return {
    items: page.map((row) => ({
      entryId: String(row.entry),
      message: decodeMessage(row, queueName, { table: "dead", entry: row.entry }, connection),
      reason: parseDeadReason(row.reason),
      diedAt: row.diedAt,
      size: row.size,
    })),
    next: last === undefined || rows.length < rowsFor(limit) ? null : writeCursor({ list: "dead", keys: [last.entry] }),
  };
}

/** Puts dead letters back at the tail; answers how many. */
export async function redriveDead(store: Store, queueName: string, entries: readonly Redrive[]): Promise<number> {
  const queue = await store.connection.read(() => store.queues.find(queueName));
  if (queue === undefined) return 0;
  return inSteps(entries, (step) =>
    store.commits.write(() => count(step, (entry) => redriveOne(store, queue, entry)), {
      durable: true,
      rings: true,
      weight: step.length,
    }),
  );
}

/** Deletes dead letters; answers how many. */
export async function dropDead(store: Store, queueName: string, entryIds: readonly string[]): Promise<number> {
  const queueId = await store.connection.read(() => store.queues.find(queueName)?.id);
  if (queueId === undefined) return 0;
  return inSteps(entryIds, (step) =>
    store.commits.write(() => count(step, (entryId) => dropOne(store, queueId, entryId)), {
      durable: true,
      weight: step.length,
    }),
  );
}

function redriveOne(store: Store, queue: QueueRow, { entryId, headers }: Redrive): boolean {
  const { connection, clock } = store;
  const entry = entryOf(entryId);
  const row = connection.get<DeadRow>(`${select} WHERE entry = ? AND queue_id = ?`, entry, queue.id);
  if (row === undefined) return false;
  if ("malformed" in decodeMessage(row, queue.name, { table: "dead", entry }, connection)) return false;
  connection.run(
    `INSERT INTO message (queue_id, state, rank, position, due_at, priority, id, headers, properties, body)
     SELECT queue_id, 0, ?, last_position + 1, ?, priority, dead.id, coalesce(?, headers), properties, body
     FROM dead JOIN queue ON queue.id = queue_id WHERE entry = ?`,
    rankOf(row.priority, queue),
    clock.now(),
    headers === undefined ? null : JSON.stringify(headers),
    entry,
  );
  return dropOne(store, queue.id, entryId);
}

function dropOne({ connection }: Store, queueId: number, entryId: string): boolean {
  return connection.run("DELETE FROM dead WHERE entry = ? AND queue_id = ?", entryOf(entryId), queueId) > 0;
}

/** -1, which no entry has, for what is none of ours. */
function entryOf(entryId: string): number {
  return /^\d{1,15}$/.test(entryId) ? Number(entryId) : -1;
}

function count<T>(all: readonly T[], isCounted: (one: T) => boolean): number {
  return all.filter((one) => isCounted(one)).length;
}

async function inSteps<T>(all: readonly T[], run: (step: readonly T[]) => Promise<number>): Promise<number> {
  let sum = 0;
  for (let at = 0; at < all.length; at += atOnce) sum += await run(all.slice(at, at + atOnce));
  return sum;
}
