import { readyAtHeader, type BrokerMessage, type MessageProperties } from "./broker/broker-message.ts";
import { defaultDecodeLimits, readBody, type DecodeLimits, type ReadBody } from "./celery-body.ts";
import { isProtocolHeader, maxRetriesHeader, readCount, userHeaders } from "./celery-headers.ts";
import { formatTime, parseTime } from "./celery-time.ts";
import { DecodeError } from "./decode-error.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "./json.ts";
import type { Message } from "./message.ts";
import { reviveTyped } from "./typed-values.ts";

const jsonText: MessageProperties = Object.freeze({ contentType: "application/json", contentEncoding: "utf-8" });

/**
 * A message in Celery's protocol 2, in as few bytes as Celery understands: what is `null` or a default is not sent, nor
 * what is only for display. Expects arguments that passed `assertJson`. User headers whose names are the protocol's are
 * left out.
 */
export function encodeMessage(message: Message): BrokerMessage {
  const { id, queue, priority, replyTo } = message;
  return {
    id,
    queue,
    priority,
    headers: encodeHeaders(message),
    // A results backend that replies to a queue needs the id here; nobody else reads it.
    properties: replyTo === null ? jsonText : { ...jsonText, correlationId: id, replyTo },
    body: JSON.stringify([message.args, message.kwargs, message.embed]),
  };
}

function encodeHeaders(message: Message): JsonObject {
  const { timeLimitMs: hardMs, softTimeLimitMs: softMs } = message;
  const headers: Record<string, JsonValue> = { lang: "js", task: message.task, id: message.id };
  if (message.rootId !== message.id) headers["root_id"] = message.rootId;
  if (message.parentId !== null) headers["parent_id"] = message.parentId;
  if (message.groupId !== null) headers["group"] = message.groupId;
  if (message.retries !== 0) headers["retries"] = message.retries;
  if (message.etaMs !== null) headers["eta"] = formatTime(message.etaMs);
  if (message.expiresMs !== null) headers["expires"] = formatTime(message.expiresMs);
  if (hardMs !== null || softMs !== null) headers["timelimit"] = [seconds(hardMs), seconds(softMs)];
  if (message.sentAtMs !== null) headers[readyAtHeader] = Math.round(message.sentAtMs);
  if (message.maxRetries !== null) headers[maxRetriesHeader] = message.maxRetries;
  for (const [name, value] of Object.entries(message.headers)) {
    if (!isProtocolHeader(name)) headers[name] = value;
  }
  return headers;
}

function seconds(ms: number | null): number | null {
  return ms === null ? null : ms / 1000;
}

/**
 * The task call that a stored message is, in protocol 2 or 1. Tolerant where Celery is: what is missing or odd, and not
 * needed to run it, counts as absent.
 * @throws DecodeError and nothing else, whatever the message holds
 */
export function decodeMessage(message: BrokerMessage, limits: DecodeLimits = defaultDecodeLimits): Message {
  const headers = isJsonObject(message.headers) ? message.headers : {};
  const body = readBody(message, headers, limits);
  if (Array.isArray(body.value)) return decodeProtocol2(message, headers, body.value, body);
  if (isJsonObject(body.value)) return decodeProtocol1(message, headers, body.value, body);
  throw notACall("the body is neither a list nor an object");
}

function decodeProtocol2(
  message: BrokerMessage,
  headers: JsonObject,
  parts: readonly unknown[],
  body: ReadBody,
): Message {
  if (parts.length !== 3) throw notACall(`expected a body of three items, got ${parts.length}`);
  const [args, kwargs, embed] = parts;
  return readCall(message, headers, { fields: headers, args, kwargs, embed, body, withoutOffset: "utc" });
}

/** All in one object. A header of the same name wins, as in Celery: a retry can count, although it leaves the body alone. */
function decodeProtocol1(message: BrokerMessage, headers: JsonObject, call: JsonObject, body: ReadBody): Message {
  if (!isNone(headers["task"]) && call["args"] === undefined) {
    throw notACall("the headers name the task, and the body has no args");
  }
  const { callbacks = null, errbacks = null, chord = null } = call;
  return readCall(message, headers, {
    fields: { ...call, ...headers, group: headers["group"] ?? call["group"] ?? call["taskset"] ?? null },
    args: call["args"] ?? [],
    kwargs: call["kwargs"] ?? {},
    embed: { callbacks, errbacks, chord },
    body,
    withoutOffset: call["utc"] === false ? "local" : "utc",
  });
}

interface Call {
  readonly fields: JsonObject;
  readonly args: unknown;
  readonly kwargs: unknown;
  readonly embed: unknown;
  readonly body: ReadBody;
  readonly withoutOffset: "utc" | "local";
}

function readCall(message: BrokerMessage, headers: JsonObject, call: Call): Message {
  const { fields, args, kwargs, withoutOffset } = call;
  const id = readId(fields["id"]);
  if (!Array.isArray(args)) throw notACall("the positional arguments are not a list");
  if (!isJsonObject(kwargs)) throw notACall("the named arguments are not an object");
  if (call.body.mayBeTyped) {
    reviveTyped(args);
    reviveTyped(kwargs);
  }
  const limits = fields["timelimit"];
  return {
    id,
    task: readTask(fields["task"]),
    queue: message.queue,
    priority: message.priority,
    args,
    kwargs,
    etaMs: readTime("eta", fields["eta"], withoutOffset),
    expiresMs: readTime("expires", fields["expires"], withoutOffset),
    retries: readCount(fields["retries"]) ?? 0,
    maxRetries: readCount(fields[maxRetriesHeader]),
    timeLimitMs: Array.isArray(limits) ? readSeconds(limits[0]) : null,
    softTimeLimitMs: Array.isArray(limits) ? readSeconds(limits[1]) : null,
    rootId: readRoot(fields["root_id"]) ?? id,
    parentId: readText(fields["parent_id"]),
    groupId: readText(fields["group"]),
    embed: readEmbed(call.embed),
    headers: userHeaders(headers),
    replyTo: readText(message.properties.replyTo),
    sentAtMs: readCount(fields[readyAtHeader]),
  };
}

function readId(value: unknown): string {
  const id = typeof value === "number" || typeof value === "bigint" ? String(value) : value;
  if (isName(id)) return id;
  throw notACall(isNone(value) ? "it has no id" : "its id is not a text of 1 to 255 bytes");
}

function readTask(value: unknown): string {
  if (isName(value)) return value;
  throw notACall(isNone(value) ? "it names no task" : "its task is not a text of 1 to 255 bytes");
}

function isName(value: unknown): value is string {
  return typeof value === "string" && value.length > 0 && value.length <= 255 && Buffer.byteLength(value) <= 255;
}

/** Rounded up to whole milliseconds, so that nothing runs early. */
function readTime(name: "eta" | "expires", value: unknown, withoutOffset: "utc" | "local"): number | null {
  if (isNone(value)) return null;
  const epochMs = typeof value === "string" ? parseTime(value, withoutOffset) : null;
  if (epochMs === null) throw notACall(`its ${name} is not an ISO 8601 time`);
  return Math.ceil(epochMs);
}

/** Celery takes a limit of 0 for none. */
function readSeconds(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) && value > 0
    ? Math.max(1, Math.round(value * 1000))
    : null;
}

function readText(value: unknown): string | null {
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== "" ? value : null;
}

/** Whatever the task sends carries it on, so it must not be longer than an id. */
function readRoot(value: unknown): string | null {
  const root = readText(value);
  return isName(root) ? root : null;
}

const noEmbed: JsonObject = Object.freeze({});

function readEmbed(value: unknown): JsonObject {
  if (isNone(value)) return noEmbed;
  if (!isJsonObject(value)) throw notACall("the third item of its body is not an object");
  const present = Object.entries(value).filter(([, part]) => !isNone(part));
  return present.length === 0 ? noEmbed : Object.fromEntries(present);
}

function isNone(value: unknown): value is null | undefined {
  return value === null || value === undefined;
}

function notACall(what: string): DecodeError {
  return new DecodeError("Q4106", `not a task call: ${what}`);
}
