import { isUtf8 } from "node:buffer";
import { randomBytes } from "node:crypto";
import {
  isJsonObject,
  tryParseJson,
  type BrokerMessage,
  type JsonObject,
  type JsonValue,
  type MalformedMessage,
  type MessageBody,
  type MessageProperties,
} from "@q/core/broker";
import { inverted, listOf } from "./priority.ts";
import { readMembers, writeMembers } from "./raw-members.ts";

/** What a content encoding is that is not named. */
const plain = "utf-8";

/**
 * Makes delivery tags. kombu keeps what it holds under them, so two messages with one tag would overwrite each other in a Python worker:
 * every push gets a new one. Short, because each message pays for it, and without a character that JSON would escape.
 */
export class DeliveryTags {
  readonly #prefix: string = `${randomBytes(9).toString("base64url")}.`;
  #count = 0;

  next(): string {
    this.#count += 1;
    return this.#prefix + this.#count.toString(36);
  }
}

/** A message as the text of a list's element, and the list of its priority. */
export interface Envelope {
  readonly text: string;
  readonly list: number;
}

/** What differs from push to push. */
export interface PushOptions {
  readonly deliveryTag: string;
  /** Whether the queue has priorities; without, everything is in the plain list. */
  readonly priorities: boolean;
}

/**
 * The smallest envelope that Celery 5.2 and later run: a worker dies of one without `properties`, `delivery_tag`, `delivery_info` or content type.
 * A body that is text goes as text, which Celery takes when `body_encoding` is absent, and any other as base64. The usual content encoding is not named.
 */
export function encodeEnvelope(message: BrokerMessage, { deliveryTag, priorities }: PushOptions): Envelope {
  const { queue, id, headers, properties, body } = message;
  const { contentType, contentEncoding, correlationId, replyTo } = properties;
  const text = textOf(body);
  const priority = priorities ? inverted(message.priority) : 0;
  const envelope = `{"body":${text === undefined ? `"${Buffer.from(body).toString("base64")}"` : JSON.stringify(text)},${contentEncoding === plain ? "" : optional("content-encoding", contentEncoding)}"content-type":${contentType === ofJson.contentType ? '"application/json"' : JSON.stringify(contentType)},"headers":${JSON.stringify(headers)},"properties":{${text === undefined ? '"body_encoding":"base64",' : ""}${optional("correlation_id", correlationId)}${optional("reply_to", replyTo)}${headers["id"] === id ? "" : optional("message_id", id)}${priorities ? `"priority":${priority},` : ""}"delivery_info":${addressOf(queue)},"delivery_tag":"${deliveryTag}"}}`;
  return { text: envelope, list: priorities ? listOf(priority) : 0 };
}

/** `undefined` for bytes that are none. */
function textOf(body: MessageBody): string | undefined {
  if (typeof body === "string") return body;
  return isUtf8(body) ? Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString() : undefined;
}

function optional(name: string, value: string | undefined): string {
  return value === undefined ? "" : `"${name}":${JSON.stringify(value)},`;
}

/**
 * The same message for another push, as a retry: with other headers, a new delivery tag, and every field that nobody here knows, as it is
 * written. What a Celery worker would die of is put right. `undefined` when the text is no envelope.
 */
export function reencodeEnvelope(
  text: string,
  changes: { readonly queue: string; readonly deliveryTag: string; readonly headers: JsonObject | undefined },
): string | undefined {
  const envelope = tryParseJson(text);
  if (!isJsonObject(envelope)) return undefined;
  const { headers, properties } = partsOf(envelope);
  if (!isJsonObject(headers) || !isJsonObject(properties)) return undefined;
  const next = changes.headers ?? headers;
  const id = idOf(headers, properties);
  // The other headers need not name the message, and it is the same one.
  const messageId = idOf(next, properties) === id ? undefined : id;
  const members = readMembers(text);
  members.set("headers", changedHeaders(members.get("headers") ?? "{}", headers, next));
  members.set(
    "properties",
    changedProperties(members.get("properties") ?? "{}", properties, { ...changes, messageId }),
  );
  return writeMembers(members);
}

function changedHeaders(written: string, before: JsonObject, after: JsonObject): string {
  const members = readMembers(written);
  const next = new Map<string, string>();
  for (const [name, value] of Object.entries(after)) {
    const text = JSON.stringify(name === "id" && typeof value === "number" ? String(value) : value);
    const isSame = text === JSON.stringify(before[name]);
    next.set(name, (isSame ? members.get(name) : undefined) ?? text);
  }
  return writeMembers(next);
}

function changedProperties(
  written: string,
  { body_encoding: encoding, delivery_info: info }: JsonObject,
  changes: { readonly queue: string; readonly deliveryTag: string; readonly messageId: string | undefined },
): string {
  const { queue, deliveryTag, messageId } = changes;
  const members = readMembers(written);
  if (messageId !== undefined) members.set("message_id", JSON.stringify(messageId));
  const isAddressed = isJsonObject(info) && Object.hasOwn(info, "exchange") && Object.hasOwn(info, "routing_key");
  if (!isAddressed) members.set("delivery_info", addressOf(queue));
  // Plain text, which kombu 5.2 knows only by the absence of a name.
  if (encoding === "utf-8") members.delete("body_encoding");
  members.set("delivery_tag", JSON.stringify(deliveryTag));
  return writeMembers(members);
}

function addressOf(queue: string): string {
  return `{"exchange":"","routing_key":${JSON.stringify(queue)}}`;
}

/** The message in an element of a queue's list. */
export function decodeEnvelope(text: string, queue: string): BrokerMessage | MalformedMessage {
  const envelope = tryParseJson(text);
  const malformed = (what: string): MalformedMessage => ({ queue, raw: Buffer.from(text), malformed: what });
  if (envelope === undefined) return malformed("it is not JSON, or nested too deep");
  if (!isJsonObject(envelope)) return malformed("it is not a JSON object");
  const { headers, properties } = partsOf(envelope);
  if (!isJsonObject(headers)) return malformed("the headers are not a JSON object");
  if (!isJsonObject(properties)) return malformed("the properties are not a JSON object");
  const body = decodeBody(envelope["body"], properties["body_encoding"]);
  if (body === undefined) return malformed("the body is not text in an encoding that is known");
  return {
    id: idOf(headers, properties),
    queue,
    // Celery always names one; we do where it means something.
    priority: typeof properties["priority"] === "number" ? inverted(properties["priority"]) : 0,
    headers,
    properties: readProperties(envelope, properties),
    body,
  };
}

/** As `decodeEnvelope`, of bytes that need not be text. */
export function decodeBytes(raw: Buffer, queue: string): BrokerMessage | MalformedMessage {
  return isUtf8(raw) ? decodeEnvelope(raw.toString(), queue) : { queue, raw, malformed: "it is not UTF-8" };
}

/** A number is what another program made of an id; what has none gets an empty one, and core says what that means. */
function idOf(headers: JsonObject, properties: JsonObject): string {
  const id = properties["message_id"] ?? headers["id"] ?? properties["correlation_id"];
  return typeof id === "string" ? id : typeof id === "number" ? String(id) : "";
}

/** Both may be missing, or `null`. */
function partsOf(envelope: JsonObject): { readonly headers: JsonValue; readonly properties: JsonValue } {
  return { headers: envelope["headers"] ?? {}, properties: envelope["properties"] ?? {} };
}

/** What nearly all messages have. */
const ofJson: MessageProperties = Object.freeze({ contentType: "application/json", contentEncoding: plain });

function readProperties(envelope: JsonObject, properties: JsonObject): MessageProperties {
  const { correlation_id: correlationId, reply_to: replyTo } = properties;
  const isUsual = envelope["content-type"] === ofJson.contentType && envelope["content-encoding"] === undefined;
  if (isUsual && correlationId === undefined && replyTo === undefined) return ofJson;
  return {
    contentType: textOr(envelope["content-type"], ""),
    contentEncoding: textOr(envelope["content-encoding"], plain),
    ...(typeof correlationId === "string" ? { correlationId } : {}),
    ...(typeof replyTo === "string" ? { replyTo } : {}),
  };
}

function textOr(value: JsonValue | undefined, fallback: string): string {
  return typeof value === "string" ? value : fallback;
}

function decodeBody(body: JsonValue | undefined, encoding: JsonValue | undefined): MessageBody | undefined {
  if (typeof body !== "string") return undefined;
  if (encoding === undefined || encoding === null || encoding === "utf-8") return body;
  return encoding === "base64" && isBase64(body) ? Buffer.from(body, "base64") : undefined;
}

/** Node's decoder skips what is none, and so would make another body of it. */
function isBase64(text: string): boolean {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
}
