import { isJsonObject, type JsonObject, type JsonValue } from "@q/core/broker";

/** ISO 8601 with six digits of fraction or none: Celery 5.2 reads three digits as microseconds. */
const time = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{6})?(Z|[+-]\d\d:?\d\d)?$/;

/**
 * What a real Celery worker would not take, or die of, in an element of a queue's list. Empty: all is well. One such element stops other people's
 * workers, which is why everything that we push is held against this list.
 * @param step of the list in which it is, 0 for the plain one
 */
export function lintEnvelope(text: string, step = 0): readonly string[] {
  const envelope = parse(text);
  if (!isJsonObject(envelope)) return ["it is a JSON object"];
  const { headers, properties } = envelope;
  if (!isJsonObject(headers)) return ["the headers are an object"];
  if (!isJsonObject(properties)) return ["the properties are an object"];
  const rules: readonly (readonly [holds: boolean, rule: string])[] = [
    [envelope["content-type"] === "application/json", "the content type is exactly application/json"],
    [(envelope["content-encoding"] ?? "utf-8") === "utf-8", "the content encoding is utf-8"],
    ...headerRules(headers),
    ...propertyRules(properties, step),
    ...bodyRules(envelope["body"], properties["body_encoding"], headers["compression"]),
  ];
  return rules.filter(([holds]) => !holds).map(([, rule]) => rule);
}

/** Of many elements: the broken rules of each, and the delivery tags that are used twice, with which kombu would lose one of two messages. */
export function lintEnvelopes(texts: readonly string[], step = 0): readonly string[] {
  const tags = texts.map((text) => /"delivery_tag": ?"([^"]*)"/.exec(text)?.[1]);
  const repeated = tags.filter((tag, index) => tags.indexOf(tag) !== index);
  return [...texts.flatMap((text) => lintEnvelope(text, step)), ...repeated.map((tag) => `${tag} is used once`)];
}

type Rules = readonly (readonly [holds: boolean, rule: string])[];

function headerRules(headers: JsonObject): Rules {
  const { retries = 0, timelimit = null } = headers;
  const isPair = Array.isArray(timelimit) && timelimit.length === 2;
  return [
    [isShortText(headers["task"]), "the header task is a text of 1 to 255 bytes"],
    [isShortText(headers["id"]), "the header id is a text of 1 to 255 bytes"],
    [isTime(headers["eta"]), "eta is a time or nothing"],
    [isTime(headers["expires"]), "expires is a time or nothing"],
    [Number.isSafeInteger(retries) && Number(retries) >= 0, "retries counts from 0"],
    [timelimit === null || isPair, "timelimit is nothing or two items"],
    [!Object.hasOwn(headers, "x-death"), "what brokers noted is not sent"],
    [!Object.hasOwn(headers, "__proto__"), "__proto__ is not sent"],
  ];
}

function propertyRules(properties: JsonObject, step: number): Rules {
  const { delivery_tag: tag, delivery_info: info, correlation_id: correlationId, priority = 0 } = properties;
  return [
    [typeof tag === "string" && tag !== "", "the delivery tag is a text"],
    [isJsonObject(info) && info["exchange"] === "", "the exchange is the anonymous one"],
    [isJsonObject(info) && isShortText(info["routing_key"]), "the routing key is a queue's name"],
    [correlationId === undefined || isShortText(correlationId), "the correlation id is a text of 1 to 255 bytes"],
    [Number.isSafeInteger(priority) && stepOf(Number(priority)) === step, "the priority is one of its list"],
  ];
}

function bodyRules(
  body: JsonValue | undefined,
  encoding: JsonValue | undefined,
  compression: JsonValue | undefined,
): Rules {
  if (typeof body !== "string") return [[false, "the body is a text"]];
  // kombu 5.2 dies of any other name, "utf-8" included.
  if (encoding !== undefined && encoding !== "base64") return [[false, "the body's encoding is base64 or not named"]];
  // Only another program compresses; its body stays what it was.
  if (typeof compression === "string") return [];
  const call = parse(encoding === "base64" ? Buffer.from(body, "base64").toString("utf8") : body);
  if (!Array.isArray(call) || call.length !== 3) return [[false, "the body is a JSON list of exactly three"]];
  const [args, kwargs, embed] = call as JsonValue[];
  return [
    [Array.isArray(args), "args is a list"],
    [isJsonObject(kwargs), "kwargs is an object"],
    [isJsonObject(embed), "embed is an object"],
  ];
}

function parse(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue; // JSON.parse makes nothing else
  } catch {
    return undefined;
  }
}

function isShortText(value: unknown): boolean {
  return typeof value === "string" && value !== "" && Buffer.byteLength(value) <= 255;
}

function isTime(value: JsonValue | undefined): boolean {
  return value === undefined || value === null || (typeof value === "string" && time.test(value));
}

/** Kombu's own arithmetic. */
function stepOf(priority: number): number {
  return priority < 0 || priority > 9 ? Number.NaN : priority - (priority % 3);
}
