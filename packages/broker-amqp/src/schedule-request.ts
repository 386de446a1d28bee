import {
  BrokerError,
  bodyBytes,
  isJsonObject,
  tryParseJson,
  PublishRejected,
  PublishUnknown,
  type BrokerMessage,
  type JsonObject,
  type JsonValue,
  type Tick,
} from "@q/core/broker";
import { isCopy } from "./schedule-message.ts";
import { isScheduleName, type CountedCopy } from "./schedule-state.ts";

/** What a process asks of the one that keeps the schedules. */
export type ScheduleRequest =
  | { readonly kind: "now" }
  | { readonly kind: "list" }
  | { readonly kind: "begin"; readonly name: string; readonly at: number }
  | { readonly kind: "put"; readonly name: string; readonly entry: JsonObject }
  | { readonly kind: "remove"; readonly name: string }
  | { readonly kind: "pause"; readonly name: string; readonly paused: boolean }
  | ({ readonly kind: "counts"; readonly name: string } & CountedCopy)
  | (Omit<Tick, "queue"> & {
      readonly kind: "fire";
      /** Whether the queue of the message has priorities: the keeper may not know. */
      readonly priorities: boolean;
    });

/** A message is JSON in it, with its body in base64. Bytes. */
const largestRequest = 8 * 1024 * 1024;
/** A message's own depth, and what is around it. */
const deepest = 72;

/** @throws PublishRejected `Q1101` for a name that no schedule can have, or when it is too large */
export function encodeRequest(request: ScheduleRequest): Buffer {
  if ("name" in request && !isScheduleName(request.name))
    throw new PublishRejected("Q1101", `expected a schedule's name of 1 to 128 bytes, got ${quoted(request.name)}`);
  const plain =
    request.kind === "fire" && request.message !== null
      ? { ...request, message: { ...request.message, body: base64(request.message) } }
      : request;
  const content = Buffer.from(JSON.stringify(plain));
  if (content.length <= largestRequest) return content;
  throw new PublishRejected("Q1101", `expected at most ${largestRequest} bytes of a schedule, got ${content.length}`);
}

/** A request from bytes that may be anybody's; `undefined` when they are none. */
export function decodeRequest(content: Buffer): ScheduleRequest | undefined {
  const value = content.length > largestRequest ? undefined : objectOf(content);
  if (value === undefined) return undefined;
  const { kind, name, at } = value;
  if (kind === "now" || kind === "list") return { kind };
  if (!isScheduleName(name)) return undefined;
  switch (kind) {
    case "begin":
      return isTime(at) ? { kind, name, at } : undefined;
    case "put": {
      const { entry } = value;
      return isJsonObject(entry) ? { kind, name, entry } : undefined;
    }
    case "remove":
      return { kind, name };
    case "pause": {
      const { paused } = value;
      return typeof paused === "boolean" ? { kind, name, paused } : undefined;
    }
    case "counts": {
      const { copy } = value;
      return isTime(at) && isCopy(copy) ? { kind, name, at, copy } : undefined;
    }
    case "fire": {
      const { isStored, priorities } = value;
      const message = value["message"] === null ? null : messageOf(value["message"]);
      if (message === undefined || !isTime(at)) return undefined;
      if (typeof isStored !== "boolean" || typeof priorities !== "boolean") return undefined;
      return { kind, name, at, isStored, priorities, message };
    }
    default:
      return undefined;
  }
}

/** What was carried out, or why not. */
export type ScheduleAnswer = { readonly value: JsonValue } | { readonly error: BrokerError };

export function encodeAnswer(answer: ScheduleAnswer): Buffer {
  if ("value" in answer) return Buffer.from(JSON.stringify(answer));
  const { error } = answer;
  const { code, message, hint = null } = error;
  const kind = error instanceof PublishUnknown ? "unknown" : error instanceof PublishRejected ? "rejected" : "broker";
  return Buffer.from(JSON.stringify({ error: { kind, code, message, hint } }));
}

/** @throws BrokerError what the keeper could not do */
export function decodeAnswer(content: Buffer): JsonValue {
  const { value, error } = objectOf(content) ?? {};
  if (value !== undefined) return value;
  const { kind, code, message, hint } = isJsonObject(error) ? error : {};
  if (typeof code !== "string" || typeof message !== "string")
    throw new BrokerError("Q1024", "the process that keeps the schedules gave an answer that makes no sense");
  const ErrorOfKind = kind === "unknown" ? PublishUnknown : kind === "rejected" ? PublishRejected : BrokerError;
  throw new ErrorOfKind(code, message, typeof hint === "string" ? { hint } : {});
}

/** Only its shape: whether it can be sent is for the publisher to say. */
function messageOf(value: JsonValue | undefined): BrokerMessage | undefined {
  if (!isJsonObject(value)) return undefined;
  const { id, queue, priority, headers, properties, body } = value;
  if (typeof id !== "string" || typeof queue !== "string" || typeof priority !== "number") return undefined;
  if (typeof body !== "string" || !isJsonObject(headers) || !isJsonObject(properties)) return undefined;
  const { contentType, contentEncoding, correlationId, replyTo } = properties;
  if (typeof contentType !== "string" || typeof contentEncoding !== "string") return undefined;
  return {
    id,
    queue,
    priority,
    headers,
    properties: {
      contentType,
      contentEncoding,
      ...(typeof correlationId === "string" ? { correlationId } : {}),
      ...(typeof replyTo === "string" ? { replyTo } : {}),
    },
    body: Buffer.from(body, "base64"),
  };
}

function objectOf(content: Buffer): JsonObject | undefined {
  const value = tryParseJson(content.toString(), { maxDepth: deepest });
  return isJsonObject(value) ? value : undefined;
}

function isTime(at: JsonValue | undefined): at is number {
  return Number.isSafeInteger(at);
}

function base64({ body }: BrokerMessage): string {
  const bytes = bodyBytes(body);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 200));
}
