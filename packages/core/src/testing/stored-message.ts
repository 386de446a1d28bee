import {
  bodyBytes,
  type BrokerMessage,
  type MalformedMessage,
  type MessageProperties,
  type OutgoingMessage,
} from "../broker/broker-message.ts";
import type { DeadReason } from "../broker/delivery.ts";
import type { JsonObject } from "../json.ts";

interface WellFormed {
  readonly id: string;
  readonly priority: number;
  /** Text, so that nobody shares an object with the store and only JSON gets in. */
  readonly headers: string;
  readonly properties: MessageProperties;
  readonly body: Uint8Array;
}

interface Malformed {
  readonly raw: Uint8Array;
  readonly malformed: string;
}

/** One message in the store, with all that the store knows about it. */
export interface StoredMessage {
  content: WellFormed | Malformed;
  crashes: number;
  /** How often it was handed out. */
  fence: number;
  /** Monotonic milliseconds: ready since, or delayed until. */
  at: number;
  /** Order of coming into its present state; settles equal times. */
  order: number;
}

/** A message that nobody will run any more unless a person says so. */
export interface DeadMessage {
  /** Grows, so that the newest has the highest. */
  readonly number: number;
  readonly stored: StoredMessage;
  readonly reason: DeadReason;
  /** Epoch milliseconds. */
  readonly diedAt: number;
}

export function storedMessage(message: OutgoingMessage): StoredMessage {
  const { id, priority, properties } = message;
  const content = {
    id,
    priority,
    headers: JSON.stringify(message.headers),
    properties: { ...properties },
    body: new Uint8Array(bodyBytes(message.body)),
  };
  return { content, crashes: 0, fence: 0, at: 0, order: 0 };
}

/** Bytes that are no message. */
export function storedGarbage(raw: Uint8Array): StoredMessage {
  return {
    content: { raw: new Uint8Array(raw), malformed: "the bytes are not a message" },
    crashes: 0,
    fence: 0,
    at: 0,
    order: 0,
  };
}

export function isMalformed(stored: StoredMessage): boolean {
  return "malformed" in stored.content;
}

/** The message as a consumer gets it: a copy of its own. */
export function messageOf(stored: StoredMessage, queue: string): BrokerMessage | MalformedMessage {
  const { content } = stored;
  if ("malformed" in content) return { queue, raw: new Uint8Array(content.raw), malformed: content.malformed };
  // Only objects are ever stringified into it.
  const headers = JSON.parse(content.headers) as JsonObject;
  return {
    id: content.id,
    queue,
    priority: content.priority,
    headers,
    properties: { ...content.properties },
    body: new Uint8Array(content.body),
  };
}

export function replaceHeaders(stored: StoredMessage, headers: JsonObject | undefined): void {
  if (headers === undefined || "malformed" in stored.content) return;
  stored.content = { ...stored.content, headers: JSON.stringify(headers) };
}

/** Bytes of body and headers. */
export function sizeOf(stored: StoredMessage): number {
  const { content } = stored;
  return "malformed" in content ? content.raw.length : content.body.length + Buffer.byteLength(content.headers);
}
