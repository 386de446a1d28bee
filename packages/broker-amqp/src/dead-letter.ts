import { createHash, randomUUID } from "node:crypto";
import type { ConsumeMessage, GetMessage } from "amqplib";
import {
  isDeadReason,
  isJsonObject,
  tryParseJson,
  type BrokerMessage,
  type DeadLetter,
  type DeadReason,
  type MalformedMessage,
} from "@q/core/broker";
import { decodeEnvelope, encodeEnvelope } from "./envelope.ts";
import { deadQueue } from "./names.ts";
import type { Consignment } from "./parcel.ts";

/** Why and when, as JSON. Text, because a header table knows no numbers of more than 64 bits and no deep nesting. */
const deadHeader = "x-q-dead";
/** Headers have to fit into 64 KiB, or amqplib does not write them; so much of them may be the reason. */
const longestReasonBytes = 32 * 1024;
/** Characters of a reason that is to fit beside large headers. */
const shortReasonLength = 300;

interface Note {
  readonly entry: string;
  readonly diedAt: number;
  readonly reason: DeadReason;
}

/**
 * A message on its way to the dead letters of its queue, as it was, with the reason beside it; then in smaller forms, for when that does not fit: with
 * less of the reason, and with its headers in front of its body, which is malformed then.
 */
export function* deadConsignments(
  message: BrokerMessage | MalformedMessage,
  died: { readonly reason: DeadReason; readonly diedAt: number },
): Generator<Consignment, void, undefined> {
  const { queue } = message;
  const { reason, diedAt } = died;
  const note: Note = { entry: randomUUID(), diedAt, reason };
  const route = { queue, exchange: "", routingKey: deadQueue(queue) };
  const bare = (text: string) => ({ persistent: true, mandatory: true, headers: { [deadHeader]: text } });
  if ("malformed" in message) {
    yield { ...route, content: Buffer.from(message.raw), options: bare(noteText(note)) };
    return;
  }
  const { content, options } = encodeEnvelope(message, { priorities: true });
  const beside = (text: string): Consignment => {
    return { ...route, content, options: { ...options, headers: { ...options.headers, [deadHeader]: text } } };
  };
  yield beside(noteText(note));
  yield beside(shortNoteText(note));
  const { id, properties, headers } = message;
  const head = Buffer.from(`${JSON.stringify({ id, properties, headers })}\n`);
  const text = shortNoteText(note, "; its headers leave no room for this reason, so they stand in front of its body");
  yield { ...route, content: Buffer.concat([head, content]), options: bare(text) };
}

function noteText(note: Note): string {
  const text = JSON.stringify(note);
  if (Buffer.byteLength(text) <= longestReasonBytes) return text;
  const { code, message } = note.reason;
  return JSON.stringify({ ...note, reason: { code, message: message.slice(0, 4000) } });
}

function shortNoteText(note: Note, remark = ""): string {
  const { code, message } = note.reason;
  return JSON.stringify({ ...note, reason: { code, message: message.slice(0, shortReasonLength) + remark } });
}

/** A dead letter as it was found. One that RabbitMQ has put there itself says so, and since when. */
export function readDeadLetter(found: ConsumeMessage | GetMessage, queue: string): DeadLetter {
  const { headers = {} } = found.properties as { readonly headers?: Readonly<Record<string, unknown>> };
  const note = noteOf(headers[deadHeader]);
  const { message } = decodeEnvelope(withoutNote(found, headers), queue);
  return {
    entryId: note?.entry ?? ownId(found),
    message,
    reason: note?.reason ?? reasonOfServer(headers),
    diedAt: note?.diedAt ?? timeOfServer(headers),
    size: found.content.length + Buffer.byteLength(JSON.stringify("malformed" in message ? {} : message.headers)),
  };
}

function withoutNote<T extends ConsumeMessage | GetMessage>(found: T, headers: Readonly<Record<string, unknown>>): T {
  const { [deadHeader]: _note, ...rest } = headers;
  return { ...found, properties: { ...found.properties, headers: rest } };
}

function noteOf(text: unknown): Note | undefined {
  const value = typeof text === "string" ? tryParseJson(text) : undefined;
  if (!isJsonObject(value)) return undefined;
  const { entry, diedAt, reason } = value;
  if (typeof entry !== "string" || !isTime(diedAt) || !isDeadReason(reason)) return undefined;
  return { entry, diedAt, reason };
}

/** In headers of somebody else it can be any number, and a page that ends with it could not be continued. */
function isTime(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

const meanings: Readonly<Record<string, DeadReason>> = {
  delivery_limit: { code: "poison", message: "RabbitMQ has handed it out too often without an outcome" },
  expired: { code: "expired", message: "its time in the queue was over" },
  maxlen: { code: "dropped", message: "the queue was full" },
  rejected: { code: "rejected", message: "a consumer that is not of q rejected it" },
};

function reasonOfServer(headers: Readonly<Record<string, unknown>>): DeadReason {
  const word = String(headers["x-first-death-reason"]);
  return (
    (Object.hasOwn(meanings, word) ? meanings[word] : undefined) ?? { code: "unknown", message: "it carries no reason" }
  );
}

/** Epoch milliseconds; RabbitMQ counts in seconds. */
function timeOfServer(headers: Readonly<Record<string, unknown>>): number {
  const [death] = Array.isArray(headers["x-death"]) ? (headers["x-death"] as readonly unknown[]) : [];
  const { time } = (death ?? {}) as { readonly time?: { readonly value?: unknown } };
  const diedAt = Number(time?.value ?? 0) * 1000;
  return isTime(diedAt) ? diedAt : 0;
}

/** For an entry that has none: the same at each look. */
function ownId({ content, properties }: ConsumeMessage | GetMessage): string {
  const { messageId, correlationId } = properties as { readonly messageId: unknown; readonly correlationId: unknown };
  return createHash("sha1")
    .update(JSON.stringify([messageId, correlationId]))
    .update(content)
    .digest("hex");
}
