import type { ConsumeMessage, GetMessage, Options } from "amqplib";
import type { BrokerMessage, JsonObject, JsonValue, MalformedMessage } from "@q/core/broker";

/** How many workers died of a message, in the copies of it that we store ourselves. Never seen outside of this adapter. */
const crashesHeader = "x-q-crashes";
/** On a message that was sent again because the answer to the first time was lost: it may be there twice. */
export const resendHeader = "x-q-resend";

/** Says why nobody can read the headers of a message, in their stead. */
export const unreadableHeader = "x-q-unreadable";

/** Levels of tables and arrays that are read, as many as of a body. What is deeper could not be written again. */
const deepestHeaders = 64;

/** A message as amqplib takes it. */
export interface Envelope {
  readonly content: Buffer;
  readonly options: Omit<Options.Publish, "headers"> & { readonly headers?: JsonObject };
}

export interface EnvelopeOptions {
  /** Whether the queue has priorities; elsewhere newer servers would heed them unasked. */
  readonly priorities: boolean;
  /** Default 0, which is not written. */
  readonly crashes?: number;
}

/** Persistent, and handed back when no queue is there for it. An id that the headers have as well is not repeated: every field costs the server time. */
export function encodeEnvelope(message: BrokerMessage, { priorities, crashes = 0 }: EnvelopeOptions): Envelope {
  const { id, headers, body, priority, properties } = message;
  const { contentType, contentEncoding, correlationId, replyTo } = properties;
  const options: Envelope["options"] = {
    persistent: true,
    mandatory: true,
    contentType,
    contentEncoding,
    headers: crashes === 0 ? headers : { ...headers, [crashesHeader]: crashes },
  };
  // One by one: every message comes by here, and spreading objects takes longer than all the rest.
  if (headers["id"] !== id) options.messageId = id;
  if (correlationId !== undefined) options.correlationId = correlationId;
  if (replyTo !== undefined) options.replyTo = replyTo;
  if (priorities) options.priority = priority;
  const content =
    typeof body === "string" ? Buffer.from(body) : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  return { content, options };
}

/** A message as it was found, with what its envelope says about its past. */
export interface Decoded {
  readonly message: BrokerMessage | MalformedMessage;
  /** Crashes that were written down. */
  readonly crashes: number;
  /** How often it was handed out before, where the server counts: on quorum queues. */
  readonly deliveries: number;
}

/** Reads what amqplib hands over. Whatever is not JSON in the headers of other programs becomes it. */
export function decodeEnvelope(found: ConsumeMessage | GetMessage, queue: string): Decoded {
  const { properties, content } = found;
  const table = (properties.headers ?? {}) as Readonly<Record<string, unknown>>;
  const crashes = countOf(table[crashesHeader]);
  const deliveries = countOf(table["x-delivery-count"]);
  const malformed = (why: string): Decoded => ({
    message: { queue, raw: content, malformed: why },
    crashes,
    deliveries,
  });
  const unreadable = table[unreadableHeader];
  if (typeof unreadable === "string") return malformed(`its headers cannot be read: ${unreadable}`);
  const contentType: unknown = properties.contentType;
  if (typeof contentType !== "string") return malformed("it has no content type, so nobody knows how to read it");
  const headers = readHeaders(table);
  if (headers === undefined)
    return malformed(`its headers cannot be read: they are nested deeper than ${deepestHeaders} levels`);
  const contentEncoding: unknown = properties.contentEncoding;
  const priority: unknown = properties.priority;
  const message: BrokerMessage = {
    id: idOf(properties.messageId, headers["id"], properties.correlationId),
    queue,
    priority: typeof priority === "number" ? Math.min(priority, 9) : 0,
    headers,
    properties: {
      contentType,
      contentEncoding: typeof contentEncoding === "string" ? contentEncoding : "utf-8",
      ...addresses(properties),
    },
    body: content,
  };
  return { message, crashes, deliveries };
}

/** A number is what another program made of an id; what has none gets an empty one, and core says what that means. */
function idOf(...candidates: readonly unknown[]): string {
  const id = candidates.find((candidate) => candidate !== undefined && candidate !== null);
  return typeof id === "string" ? id : typeof id === "number" ? String(id) : "";
}

function addresses({ correlationId, replyTo }: GetMessage["properties"]) {
  return {
    ...(typeof correlationId === "string" ? { correlationId } : {}),
    ...(typeof replyTo === "string" ? { replyTo } : {}),
  };
}

/**
 * The sender's headers alone. RabbitMQ adds the way that a message has gone, and would take one that is published with it again for a message that goes
 * round in circles. `undefined` when they are nested too deep.
 */
function readHeaders(table: Readonly<Record<string, unknown>>): JsonObject | undefined {
  const headers: Record<string, JsonValue> = {};
  try {
    for (const [name, value] of Object.entries(table)) {
      if (name.startsWith("x-") && isOfTheServer(name)) continue;
      setOwn(headers, name, jsonOf(value, deepestHeaders - 1));
    }
  } catch (error) {
    if (error === tooDeep) return undefined;
    throw error;
  }
  return headers;
}

const tooDeep = new Error("nested too deep");

function isOfTheServer(name: string): boolean {
  return /^x-(death$|first-death-|last-death-|delivery-count$|acquired-count$|q-crashes$)/.test(name);
}

/** Values of AMQP that JSON has not: bytes become text; times and decimals stay as amqplib has them, and can be written again. @throws `tooDeep` */
function jsonOf(value: unknown, levels: number): JsonValue {
  if (value === null || typeof value === "string" || typeof value === "boolean" || typeof value === "number")
    return value;
  if (typeof value === "bigint") return value.toString();
  if (Buffer.isBuffer(value)) return value.toString("utf8");
  if (typeof value !== "object") return null;
  if (levels === 0) throw tooDeep;
  if (Array.isArray(value)) return value.map((member) => jsonOf(member, levels - 1));
  const object: Record<string, JsonValue> = {};
  for (const [name, member] of Object.entries(value)) setOwn(object, name, jsonOf(member, levels - 1));
  return object;
}

/** Also when the name is `__proto__`. */
function setOwn(object: Record<string, JsonValue>, name: string, value: JsonValue): void {
  if (name !== "__proto__") object[name] = value;
}

function countOf(value: unknown): number {
  const count = Number(value ?? 0);
  return Number.isSafeInteger(count) && count > 0 ? count : 0;
}
