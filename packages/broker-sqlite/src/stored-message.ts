import {
  PublishRejected,
  bodyBytes,
  isJsonObject,
  tryParseJson,
  type BrokerMessage,
  type JsonObject,
  type JsonValue,
  type MalformedMessage,
  type MessageProperties,
  type OutgoingMessage,
} from "@q/core/broker";
import type { Connection } from "./connection.ts";

/** A message as the columns of `message` and `dead` hold it. */
export interface EncodedMessage {
  readonly queue: string;
  readonly id: string;
  readonly priority: number;
  readonly headers: string;
  readonly properties: string;
  readonly body: Uint8Array;
  readonly delayMs: number;
}

const longestIdBytes = 255;

/** @throws PublishRejected `Q1101` when the store cannot hold it so that it comes back unchanged */
export function encodeMessage(message: OutgoingMessage): EncodedMessage {
  const { queue, id, priority, headers, properties, body, delayMs = 0 } = message;
  if (!isStorableText(queue)) throw unfit(`a queue name of 1 to ${longestIdBytes} bytes`, queue);
  if (!isStorableText(id)) throw unfit(`a message id of 1 to ${longestIdBytes} bytes`, id);
  if (!Number.isInteger(priority) || priority < 0 || priority > 9) throw unfit("a priority from 0 to 9", priority);
  if (!Number.isFinite(delayMs) || delayMs < 0) throw unfit("delayMs of at least 0", delayMs);
  return {
    queue,
    id,
    priority,
    headers: JSON.stringify(headers),
    properties: JSON.stringify(properties),
    body: bodyBytes(body),
    delayMs,
  };
}

/** SQLite's text ends at a NUL when it is read, and is UTF-8, which has no halves of surrogate pairs. */
function isStorableText(text: string): boolean {
  return (
    text.length > 0 &&
    text.length <= longestIdBytes &&
    Buffer.byteLength(text) <= longestIdBytes &&
    !/[\0\p{Surrogate}]/u.test(text)
  );
}

function unfit(expected: string, got: unknown): PublishRejected {
  return new PublishRejected("Q1101", `expected ${expected}, got ${JSON.stringify(got)}`);
}

/** The columns of a message, with `null` for what has a type that no message of ours has. */
export interface MessageRow {
  readonly priority: number;
  readonly id: string | null;
  readonly headers: string | null;
  readonly properties: string | null;
  readonly body: Uint8Array | null;
}

/** Selects a `MessageRow`. A plain column could hold an integer beyond 2^53, on which the driver throws. */
export const messageColumns = `priority,
  CASE WHEN typeof(id) = 'text' THEN id END AS id,
  CASE WHEN typeof(headers) = 'text' THEN headers END AS headers,
  CASE WHEN typeof(properties) = 'text' THEN properties END AS properties,
  CASE WHEN typeof(body) = 'blob' THEN body END AS body`;

/** Where a row stands, to read it again byte for byte. */
export type RowPlace =
  | { readonly table: "message"; readonly seq: number }
  | { readonly table: "dead"; readonly entry: number };

/** The message of a row. What is none comes as malformed, with its bytes. */
export function decodeMessage(
  row: MessageRow,
  queue: string,
  place: RowPlace,
  connection: Connection,
): BrokerMessage | MalformedMessage {
  const { id, priority, headers: headersText, properties: propertiesText, body } = row;
  const malformed = (what: string): MalformedMessage => ({
    queue,
    raw: rawBytes(row, place, connection),
    malformed: what,
  });
  if (id === null || id === "") return malformed("the id is not a text");
  const headers = jsonOf(headersText);
  if (!isJsonObject(headers)) return malformed("the headers are not a JSON object");
  const properties = jsonOf(propertiesText);
  if (!isProperties(properties)) return malformed("the properties are not those of a message");
  if (body === null) return malformed("the body is not a blob");
  return { id, queue, priority, headers, properties, body };
}

function jsonOf(text: string | null): JsonValue | undefined {
  return text === null ? undefined : tryParseJson(text);
}

function isProperties(value: JsonValue | undefined): value is JsonObject & MessageProperties {
  if (!isJsonObject(value)) return false;
  const { contentType, contentEncoding, correlationId, replyTo } = value;
  return (
    typeof contentType === "string" &&
    typeof contentEncoding === "string" &&
    (correlationId === undefined || typeof correlationId === "string") &&
    (replyTo === undefined || typeof replyTo === "string")
  );
}

interface RawRow {
  readonly id: Uint8Array | null;
  readonly headers: Uint8Array | null;
  readonly properties: Uint8Array | null;
  readonly body: Uint8Array | null;
}

const rawColumns =
  "CAST(id AS BLOB) AS id, CAST(headers AS BLOB) AS headers, CAST(properties AS BLOB) AS properties, CAST(body AS BLOB) AS body";

/** What stands in the row's columns, those that are there, a line each. Read only when it is needed, which is almost never. */
function rawBytes(row: MessageRow, place: RowPlace, connection: Connection): Uint8Array {
  const { id, headers, properties, body } = rawRow(place, connection) ?? row;
  const parts = [id, headers, properties, body].filter((part) => part !== null);
  return Buffer.concat(parts.flatMap((part, index) => [Buffer.from(index === 0 ? "" : "\n"), Buffer.from(part)]));
}

function rawRow(place: RowPlace, connection: Connection): RawRow | undefined {
  try {
    return place.table === "message"
      ? connection.get<RawRow>(`SELECT ${rawColumns} FROM message WHERE seq = ?`, place.seq)
      : connection.get<RawRow>(`SELECT ${rawColumns} FROM dead WHERE entry = ?`, place.entry);
  } catch {
    // Locked just now. The message is already ours, so what was read of it must do, rather than nobody settle it.
    return undefined;
  }
}
