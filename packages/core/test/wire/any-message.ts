import * as fc from "fast-check";
import { isProtocolHeader } from "../../src/celery-headers.ts";
import type { JsonObject, JsonValue } from "../../src/json.ts";
import type { Message } from "../../src/message.ts";

const name = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 40 })
  .filter((text) => Buffer.byteLength(text) <= 255);
const time = fc.integer({ min: Date.parse("0001-01-01"), max: Date.parse("9999-12-31T23:59:59.999Z") });
const count = fc.nat();
const limit = fc.integer({ min: 1, max: 1e9 });

/** JSON as a sender may give it: without -0, which JSON.stringify does not write, and without the key that is refused. */
const json = fc
  .jsonValue()
  .map((value) => JSON.stringify(value))
  .filter((text) => !text.includes("__proto__"))
  .map((text) => JSON.parse(text) as JsonValue);

function object(key: fc.Arbitrary<string>): fc.Arbitrary<JsonObject> {
  return fc.dictionary(key, json, { noNullPrototype: true, maxKeys: 5 });
}

function orNull<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> {
  return fc.option(arbitrary, { nil: null });
}

/** Any message that an app may send. */
export const anyMessage: fc.Arbitrary<Message> = fc
  .record({
    id: name,
    task: name,
    queue: name,
    priority: fc.integer({ min: 0, max: 9 }),
    args: fc.array(json, { maxLength: 4 }),
    kwargs: object(name.filter((key) => key !== "__proto__")),
    etaMs: orNull(time),
    expiresMs: orNull(time),
    retries: count,
    maxRetries: orNull(count),
    timeLimitMs: orNull(limit),
    softTimeLimitMs: orNull(limit),
    rootId: orNull(name),
    parentId: orNull(name),
    groupId: orNull(name),
    embed: object(fc.constantFrom("callbacks", "errbacks", "chain", "chord")),
    headers: object(name.filter((key) => !isProtocolHeader(key))),
    replyTo: orNull(name),
    sentAtMs: orNull(fc.nat({ max: 8.64e15 })),
  })
  .map(({ rootId, embed, ...message }) => ({
    ...message,
    rootId: rootId ?? message.id,
    embed: Object.fromEntries(Object.entries(embed).filter(([, part]) => part !== null)),
  }));
