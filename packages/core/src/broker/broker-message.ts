import type { JsonObject } from "../json.ts";

/** The parts of AMQP's basic properties that travel with a message on every broker. */
export interface MessageProperties {
  /** `application/json` for all that q sends. Anything else is dead-lettered by core, undecoded. */
  readonly contentType: string;
  /** `utf-8` for all that q sends. */
  readonly contentEncoding: string;
  /** The task id, repeated: Celery's result backends read it here. */
  readonly correlationId?: string;
  /** Where a Celery producer waits for results; copied into everything that derives from the message. */
  readonly replyTo?: string;
}

/**
 * Header that says since when, or from when on, a message is ready: epoch milliseconds by its sender's clock. Core sets it. A broker whose store keeps no times
 * may read it for people, and never decides by it. One that delivers a message before its `delayMs` is over, because its users want that, sets it to the
 * time of storing: a message that is ready from its eta on counts as due when it comes.
 */
export const readyAtHeader = "q_sent_at";

/** One message as a broker stores it: AMQP's shape, which is also what Celery puts on Redis. */
export interface BrokerMessage {
  /** Unique per send and kept through every retry: deduplicate on it. 1 to 255 bytes. */
  readonly id: string;
  readonly queue: string;
  /** 0 to 9, higher first; ignored by a queue that was not declared with priorities. */
  readonly priority: number;
  /** Celery's header table. Fields that nobody here knows are kept as they are. */
  readonly headers: JsonObject;
  readonly properties: MessageProperties;
  /** Opaque. A broker never reads it. */
  readonly body: MessageBody;
}

/** Bytes, or text that stands for its bytes in UTF-8: a broker takes both, and hands out what costs it less. */
export type MessageBody = Uint8Array | string;

export function bodyBytes(body: MessageBody): Uint8Array {
  return typeof body === "string" ? Buffer.from(body) : body;
}

/** Length in bytes. */
export function bodySize(body: MessageBody): number {
  return typeof body === "string" ? Buffer.byteLength(body) : body.byteLength;
}

/** A message on its way to a broker. */
export interface OutgoingMessage extends BrokerMessage {
  /**
   * Milliseconds from storing to the earliest delivery, by the broker's clock; 0 or absent is at once.
   * Never delivered early; how late at most is part of each broker's promises.
   */
  readonly delayMs?: number;
}

/**
 * Something in a queue that is not a message of the shape above. It is delivered all the same,
 * so that core can dead-letter it: nothing that a broker cannot parse disappears.
 */
export interface MalformedMessage {
  readonly queue: string;
  /** The bytes as they were found. */
  readonly raw: Uint8Array;
  /** What is wrong with them, for people: `"the headers are not JSON"`. */
  readonly malformed: string;
}
