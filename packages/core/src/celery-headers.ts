import { readyAtHeader } from "./broker/broker-message.ts";
import { formatTime } from "./celery-time.ts";
import type { JsonObject, JsonValue } from "./json.ts";

/**
 * Our additions to Celery's header table. One prefix, so that none collides with a user's header or a later one of Celery's,
 * and an underscore as in Celery's own, so that a Python task reads them as attributes of its request.
 */
export const maxRetriesHeader = "q_max_retries";
const parkedAtHeader = "q_parked_at";
/** The schedule whose tick a message is. */
export const scheduleHeader = "q_schedule";
/** A run of its schedule is not to begin while another one is under way. */
export const noOverlapHeader = "q_no_overlap";
/** A run of its schedule has begun: it may have done a part of its work. */
export const begunHeader = "q_begun";
const ourPrefix = "q_";

const celeryHeaders: ReadonlySet<string> = new Set([
  "lang",
  "task",
  "id",
  "shadow",
  "eta",
  "expires",
  "group",
  "group_index",
  "retries",
  "timelimit",
  "root_id",
  "parent_id",
  "argsrepr",
  "kwargsrepr",
  "origin",
  "ignore_result",
  "replaced_task_nesting",
  "stamped_headers",
  "stamps",
  "compression",
  "redelivered",
]);

/** RabbitMQ's notes on where a message was dead-lettered before. */
const deathHeader = /^x-(?:death$|first-death-|last-death-)/;

/** Whether a header's name has a meaning for Celery, RabbitMQ or q, and hence cannot be a user's. */
export function isProtocolHeader(name: string): boolean {
  return celeryHeaders.has(name) || name.startsWith(ourPrefix) || deathHeader.test(name) || name === "__proto__";
}

const noHeaders: JsonObject = Object.freeze({});

/** The headers that belong to the sender: all but the protocol's. */
export function userHeaders(headers: JsonObject): JsonObject {
  let found: Record<string, JsonValue> | undefined;
  for (const name of Object.keys(headers)) {
    if (isProtocolHeader(name)) continue;
    found ??= {};
    found[name] = headers[name] ?? null;
  }
  return found ?? noHeaders;
}

/** Bytes of those as JSON; 0 when there are none. */
export function userHeadersSize(headers: JsonObject): number {
  const found = userHeaders(headers);
  return found === noHeaders ? 0 : Buffer.byteLength(JSON.stringify(found));
}

/** What becomes different when a message is put back. */
export interface RetryChange {
  /** The new count. Absent: the old one, for a message that goes back without having run. */
  readonly retries?: number;
  /** Not to be run before. Epoch milliseconds; `null` is at once. */
  readonly etaMs: number | null;
  /** After a retry, the message's own id, as Celery has it. Absent: as it was. */
  readonly parentId?: string;
  /** When it becomes ready to run. Epoch milliseconds. Absent: as it was. */
  readonly sentAtMs?: number;
}

/**
 * The header table for putting a message back with the body that it has. Fields that nobody here knows survive, and
 * `compression`, because the body is the same. What brokers noted about earlier deliveries does not: RabbitMQ may drop a
 * message that seems to go in circles.
 */
export function retryHeaders(headers: JsonObject, change: RetryChange): JsonObject {
  const next = withoutNotes(headers);
  delete next[parkedAtHeader];
  // It has run, so that it is not skipped for another tick of its schedule: also when a person retries it, and the count begins anew.
  if (next[noOverlapHeader] === true) next[begunHeader] = true;
  // Written out even when it is null: in a message of protocol 1 it must win over the body's.
  next["eta"] = change.etaMs === null ? null : formatTime(change.etaMs);
  if (change.retries !== undefined) next["retries"] = change.retries;
  if (change.parentId !== undefined) next["parent_id"] = change.parentId;
  if (change.sentAtMs !== undefined) next[readyAtHeader] = Math.round(change.sentAtMs);
  return next;
}

/**
 * The header table for putting back a message whose task nobody here knows. `retryHeaders` ends the parking.
 * @param sinceMs when it was parked first, epoch milliseconds
 */
export function parkHeaders(headers: JsonObject, sinceMs: number): JsonObject {
  return { ...withoutNotes(headers), [parkedAtHeader]: sinceMs };
}

/**
 * The header table for putting back a message that came before its time.
 * @param untilMs when it is due, epoch milliseconds
 */
export function heldHeaders(headers: JsonObject, untilMs: number): JsonObject {
  return { ...withoutNotes(headers), [readyAtHeader]: Math.round(untilMs) };
}

/**
 * Whether the broker was told to hold a message until its eta: it then was due when it came, whatever the clocks of its sender and of this machine say.
 * Celery's producers tell no broker, and its workers' retries have another eta.
 */
export function wasHeld({ etaMs, sentAtMs }: { readonly etaMs: number; readonly sentAtMs: number | null }): boolean {
  // One of the two is rounded.
  return sentAtMs !== null && Math.abs(etaMs - sentAtMs) <= 1;
}

/** When a message was parked first, epoch milliseconds; `null` when it is not parked. */
export function parkedAtMs(headers: JsonObject): number | null {
  return readCount(headers[parkedAtHeader]);
}

/** A whole number from 0 on; `null` for everything else. */
export function readCount(value: unknown): number | null {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : null;
}

function withoutNotes(headers: JsonObject): Record<string, JsonValue> {
  const kept: Record<string, JsonValue> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (name !== "redelivered" && name !== "__proto__" && !deathHeader.test(name)) kept[name] = value;
  }
  return kept;
}
