import type { BrokerMessage, JsonObject, JsonValue } from "@q/core/broker";
import * as fc from "fast-check";

const name = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 40 })
  .filter((text) => Buffer.byteLength(text) <= 255);
const time = fc
  .date({ min: new Date("0001-01-01"), max: new Date("9999-12-31"), noInvalidDate: true })
  .map((date) => date.toISOString().replace("Z", "000+00:00"));

/** Any JSON, without the `-0` and the key `__proto__` that do not come back. */
export const anyJson: fc.Arbitrary<JsonValue> = fc
  .jsonValue()
  .map((value) => JSON.stringify(value))
  .filter((text) => !text.includes("__proto__"))
  .map((text) => JSON.parse(text) as JsonValue);

/** Any JSON object without the key `__proto__`. */
export const anyObject: fc.Arbitrary<JsonObject> = fc.dictionary(
  name.filter((key) => key !== "__proto__"),
  anyJson,
  { noNullPrototype: true, maxKeys: 5 },
);

function optional<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.option(arbitrary, { nil: undefined });
}

/** Without the members that are `undefined`. */
function compact(object: Readonly<Record<string, JsonValue | undefined>>): JsonObject {
  return Object.fromEntries(
    Object.entries(object).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  );
}

/** Any message of the shape that core makes. */
export const anyMessage: fc.Arbitrary<BrokerMessage> = fc
  .record({
    id: name,
    queue: name,
    priority: fc.integer({ min: 0, max: 9 }),
    others: anyObject,
    own: fc.record({
      task: name,
      retries: optional(fc.nat()),
      eta: optional(time),
      expires: optional(time),
      timelimit: optional(fc.constantFrom([30, null], [null, 0.5], [2, 1])),
    }),
    args: fc.array(anyJson, { maxLength: 4 }),
    kwargs: anyObject,
    embed: anyObject,
    replyTo: optional(name),
  })
  .map(({ id, queue, priority, others, own, args, kwargs, embed, replyTo }) => ({
    id,
    queue,
    priority,
    headers: { ...others, ...compact(own), lang: "js", id },
    properties: {
      contentType: "application/json",
      contentEncoding: "utf-8",
      ...(replyTo === undefined ? {} : { correlationId: id, replyTo }),
    },
    body: JSON.stringify([args, kwargs, embed]),
  }));
