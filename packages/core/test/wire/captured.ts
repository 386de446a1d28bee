import { readFileSync } from "node:fs";
import type { BrokerMessage } from "../../src/broker/broker-message.ts";
import type { JsonObject, JsonValue } from "../../src/json.ts";

/** A message that a real Celery published. */
export interface Captured {
  /** `celery-5.2-redis worker_retry 2` */
  readonly name: string;
  readonly message: BrokerMessage;
  /** What Python decodes its body to: NaN and BigInt included, kombu's typed values not. */
  readonly body: readonly [args: unknown, kwargs: unknown, embed: JsonObject];
}

/** A message of other origin, and what became of it on real workers. */
export interface ForeignCase {
  readonly case: string;
  readonly celery52: string;
  readonly celery56: string;
}

interface RedisEntry {
  readonly case: string;
  readonly raw: string;
  readonly body: JsonValue;
}

interface AmqpEntry {
  readonly case: string;
  readonly queue: string;
  readonly properties: JsonObject;
  readonly headers: JsonObject;
  readonly rawText?: string;
  readonly rawBase64?: string;
  readonly body: JsonValue;
}

/** Every captured message of both versions and brokers. */
export function readCaptured(): readonly Captured[] {
  return ["celery-5.2", "celery-5.6"].flatMap((version) => [
    ...(readJson(`${version}-redis.json`) as RedisEntry[]).map((entry, index, all) =>
      captured(`${version}-redis`, fromEnvelope(entry.raw), entry, all.slice(0, index)),
    ),
    ...(readJson(`${version}-amqp.json`) as AmqpEntry[]).map((entry, index, all) =>
      captured(`${version}-amqp`, fromAmqp(entry), entry, all.slice(0, index)),
    ),
  ]);
}

export function readForeignCases(): readonly ForeignCase[] {
  return readJson("foreign-messages.json") as ForeignCase[];
}

function captured(
  source: string,
  message: BrokerMessage,
  entry: { readonly case: string; readonly body: JsonValue },
  before: readonly { readonly case: string }[],
): Captured {
  const place = before.filter((other) => other.case === entry.case).length + 1;
  return { name: `${source} ${entry.case} ${place}`, message, body: untag(entry.body) as Captured["body"] };
}

/** The envelope in which kombu stores a message on Redis. */
export function fromEnvelope(raw: string): BrokerMessage {
  const envelope = JSON.parse(raw) as {
    body: string;
    headers: JsonObject;
    properties: JsonObject;
    [key: string]: JsonValue;
  };
  const { properties } = envelope;
  const delivery = properties["delivery_info"] as { routing_key?: string } | undefined;
  return {
    ...fromProperties({
      ...properties,
      content_type: text(envelope["content-type"]),
      content_encoding: text(envelope["content-encoding"]),
    }),
    queue: delivery?.routing_key ?? "",
    headers: envelope.headers,
    body: Buffer.from(envelope.body, properties["body_encoding"] === "base64" ? "base64" : "utf8"),
  };
}

function fromAmqp(entry: AmqpEntry): BrokerMessage {
  const body =
    entry.rawBase64 === undefined ? Buffer.from(entry.rawText ?? "") : Buffer.from(entry.rawBase64, "base64");
  return { ...fromProperties(entry.properties), queue: entry.queue, headers: entry.headers, body };
}

function fromProperties(properties: JsonObject): Pick<BrokerMessage, "id" | "priority" | "properties"> {
  return {
    id: text(properties["correlation_id"]),
    priority: Number(properties["priority"] ?? 0),
    properties: {
      contentType: text(properties["content_type"]),
      contentEncoding: text(properties["content_encoding"]),
      correlationId: text(properties["correlation_id"]),
      replyTo: text(properties["reply_to"]),
    },
  };
}

function text(value: JsonValue | undefined): string {
  return typeof value === "string" ? value : "";
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(new URL(file, import.meta.url), "utf8"));
}

function untag(value: JsonValue): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map(untag);
  const object = value as JsonObject; // neither a primitive nor an array
  if (typeof object["$number"] === "string") return Number(object["$number"]);
  if (typeof object["$integer"] === "string") return BigInt(object["$integer"]);
  return Object.fromEntries(Object.entries(object).map(([key, child]) => [key, untag(child)]));
}
