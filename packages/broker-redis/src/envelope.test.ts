import { isJsonObject, type BrokerMessage, type JsonObject } from "@q/core/broker";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { anyJson, anyMessage, anyObject } from "../test/wire/any-message.ts";
import { readCaptured } from "../test/wire/captured.ts";
import { lintEnvelope } from "../test/wire/lint.ts";
import { decodeEnvelope, DeliveryTags, encodeEnvelope, reencodeEnvelope } from "./envelope.ts";
import { prioritySteps, queueKeys } from "./keys.ts";

const captured = readCaptured();

/** A well-formed envelope as a text, with some parts replaced; `undefined` leaves one out. */
function foreign(changes: object = {}, properties: object = {}, headers: object = {}): string {
  return JSON.stringify({
    body: '[[1],{},{"chain":null}]',
    "content-encoding": "utf-8",
    "content-type": "application/json",
    headers: { lang: "py", task: "t", id: "i", ...headers },
    properties: { delivery_info: { exchange: "", routing_key: "q" }, delivery_tag: "old", ...properties },
    ...changes,
  });
}

function decoded(text: string, queue = "q"): BrokerMessage {
  const message = decodeEnvelope(text, queue);
  if ("malformed" in message) throw new Error(`expected a message, got something malformed: ${message.malformed}`);
  return message;
}

function reencoded(text: string, headers?: JsonObject): string {
  const again = reencodeEnvelope(text, { queue: "q", deliveryTag: "new", headers });
  if (again === undefined) throw new Error("expected an envelope");
  return again;
}

function parsed(text: string): { readonly [part: string]: JsonObject } {
  return JSON.parse(text) as { readonly [part: string]: JsonObject }; // every envelope of these tests has the parts that are asked for
}

describe("an envelope of ours", () => {
  test("is this small", () => {
    const message: BrokerMessage = {
      id: "4a0e",
      queue: "default",
      priority: 0,
      headers: { lang: "js", task: "events.save", id: "4a0e" },
      properties: { contentType: "application/json", contentEncoding: "utf-8" },
      body: Buffer.from('[[],{"eventId":"e1"},{}]'),
    };
    expect(encodeEnvelope(message, { deliveryTag: "p.1", priorities: false })).toEqual({
      text: '{"body":"[[],{\\"eventId\\":\\"e1\\"},{}]","content-type":"application/json","headers":{"lang":"js","task":"events.save","id":"4a0e"},"properties":{"delivery_info":{"exchange":"","routing_key":"default"},"delivery_tag":"p.1"}}',
      list: 0,
    });
  });

  test("is one that Celery takes, in the list of its priority, and comes back as the message that it was", () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        const { text, list } = encodeEnvelope(message, { deliveryTag: "new", priorities: true });
        expect(lintEnvelope(text, prioritySteps[list])).toEqual([]);
        expect(decodeEnvelope(text, message.queue)).toEqual(message);
      }),
    );
  });

  test("of a queue without priorities is in the plain list, whatever its priority", () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        const { text, list } = encodeEnvelope(message, { deliveryTag: "new", priorities: false });
        expect(list).toBe(0);
        expect(lintEnvelope(text, 0)).toEqual([]);
      }),
    );
  });

  test("brings back any bytes, and an id that the headers do not have", () => {
    fc.assert(
      fc.property(anyMessage, fc.uint8Array(), anyObject, (message, bytes, headers) => {
        const opaque = { ...message, headers, body: Buffer.from(bytes) };
        const { text } = encodeEnvelope(opaque, { deliveryTag: "new", priorities: true });
        const back = decoded(text, message.queue);
        expect({ ...back, body: Buffer.from(back.body) }).toEqual(opaque);
      }),
    );
  });

  test("has a delivery tag that no other has", () => {
    const makers = [new DeliveryTags(), new DeliveryTags()];
    const tags = makers.flatMap((maker) => Array.from({ length: 1000 }, () => maker.next()));
    expect(new Set(tags).size).toBe(2000);
  });
});

describe("an envelope of Celery's", () => {
  test.each(captured)("is read: $name", ({ raw }) => {
    const { headers = {}, properties = {}, ...envelope } = parsed(raw);
    const message = decoded(raw);
    expect(message.headers).toEqual(headers);
    expect(message.id).toBe(headers["id"]);
    expect(message.priority).toBe(9 - Number(properties["priority"]));
    expect(message.properties).toEqual({
      contentType: "application/json",
      contentEncoding: "utf-8",
      correlationId: headers["id"],
      replyTo: properties["reply_to"],
    });
    expect(Buffer.from(message.body).toString("base64")).toBe(envelope["body"]);
  });

  test.each(captured)("is in the list in which we look: $name", ({ list, raw }) => {
    const { properties = {} } = parsed(raw);
    const { routing_key: queue } = properties["delivery_info"] as { readonly routing_key: string }; // each has one
    const step = Number(properties["priority"]) - (Number(properties["priority"]) % 3);
    expect(queueKeys(queue, "").lists[prioritySteps.indexOf(step)]).toBe(list);
  });

  test.each(captured)("is pushed again with other headers and nothing else changed: $name", ({ list, raw }) => {
    const before = parsed(raw);
    const headers = { ...before["headers"], retries: 7, parent_id: "p", eta: null };
    const again = reencoded(raw, headers);
    const properties = { ...before["properties"], delivery_tag: "new" };
    expect(JSON.parse(again)).toEqual({ ...before, headers, properties });
    expect(lintEnvelope(again, list.includes("\u0016") ? Number(list.at(-1)) : 0)).toEqual([]);
  });
});

describe("what nobody here knows", () => {
  test("survives, wherever it stands", () => {
    fc.assert(
      fc.property(anyObject, anyObject, anyObject, anyJson, (inEnvelope, inProperties, inHeaders, value) => {
        const text = foreign({ ...inEnvelope, ...parsed(foreign({}, inProperties, inHeaders)) });
        const before = parsed(text);
        const headers = { ...decoded(text).headers, retries: 1, extra: value };
        expect(JSON.parse(reencoded(text, headers))).toEqual({
          ...before,
          headers,
          properties: { ...before["properties"], delivery_tag: "new" },
        });
      }),
    );
  });

  test("survives when the headers stay as they are", () => {
    fc.assert(
      fc.property(anyObject, (headers) => {
        const text = foreign({ headers });
        expect(parsed(reencoded(text))["headers"]).toEqual(parsed(text)["headers"]);
      }),
    );
  });

  test("survives as it is written, also where JavaScript has no number for it", () => {
    const written = foreign({}, { trace: "@1" }, { trace: "@1", ratio: "@2", retries: 0 })
      .replaceAll('"@1"', "12345678901234567890")
      .replace('"@2"', "1.0");
    const again = reencoded(written, { ...decoded(written).headers, retries: 1 });
    expect(again.match(/"trace":12345678901234567890/g)).toHaveLength(2);
    expect(again).toContain('"ratio":1.0');
    expect(parsed(again)["headers"]).toMatchObject({ task: "t", retries: 1 });
  });
});

describe("what kills a Celery worker, though it is run here,", () => {
  const cases = {
    "no properties": foreign({ properties: undefined }),
    "properties of null": foreign({ properties: null }),
    "no delivery tag": foreign({}, { delivery_tag: undefined }),
    "no delivery info": foreign({}, { delivery_info: undefined }),
    "empty delivery info": foreign({}, { delivery_info: {} }),
    "delivery info without a routing key": foreign({}, { delivery_info: { exchange: "" } }),
    "a body that says that it is UTF-8": foreign({}, { body_encoding: "utf-8" }),
    "a number for an id": foreign({}, {}, { id: 12345 }),
  };

  test.each(Object.entries(cases))("is put right before it is pushed again: %s", (_name, text) => {
    expect(lintEnvelope(text)).not.toEqual([]);
    const { headers, body } = decoded(text);
    const again = reencoded(text, { ...headers, retries: 1 });
    expect(lintEnvelope(again)).toEqual([]);
    expect(decoded(again).body).toEqual(body);
  });

  test("is named by the linter when it is only fit for the dead letters", () => {
    const lethal = [
      "not JSON",
      "[]",
      foreign({ headers: { task: "t" } }),
      foreign({ "content-type": undefined }),
      foreign({ body: "[[1],{}]" }),
      foreign({}, {}, { eta: "" }),
      foreign({}, { priority: 6 }),
    ];
    for (const text of lethal) expect(lintEnvelope(text)).toHaveLength(1);
  });
});

test("headers of null are none, as in Celery's older protocol", () => {
  const text = foreign({ headers: null, body: '{"task":"t","id":"i","args":[1]}' });
  expect(decoded(text).headers).toEqual({});
  expect(parsed(reencoded(text, { retries: 1 }))["headers"]).toEqual({ retries: 1 });
});

describe("what is no envelope", () => {
  const deep = `{"headers":${"[".repeat(100_000)}${"]".repeat(100_000)}}`;
  const cases = {
    nothing: "",
    "no JSON": "hello",
    "a pickle": "\u0080\u0004\u0095.",
    "half of one": foreign().slice(0, -40),
    "one that is nested deep": deep,
    "a list": "[]",
    "a number": "7",
    "headers that are a list": foreign({ headers: [] }),
    "properties that are a text": foreign({ properties: "x" }),
    "no body": foreign({ body: undefined }),
    "a body that is an object": foreign({ body: {} }),
    "a body that is not the base64 that it claims to be": foreign({}, { body_encoding: "base64" }),
    "an encoding that nobody knows": foreign({}, { body_encoding: "rot13" }),
  };

  test.each(Object.entries(cases))("is malformed, with its bytes: %s", (_name, text) => {
    const message = decodeEnvelope(text, "q");
    if (!("malformed" in message)) throw new Error("expected something malformed");
    expect(Buffer.from(message.raw).toString()).toBe(text);
    expect(message.malformed).not.toBe("");
  });

  test("is not pushed again as one", () => {
    for (const text of [cases["no JSON"], deep, "[]", cases["headers that are a list"]])
      expect(reencodeEnvelope(text, { queue: "q", deliveryTag: "new", headers: {} })).toBeUndefined();
  });
});

test("a key __proto__ is dropped and changes no prototype", () => {
  const text = foreign({}, {}, { place: { polluted: 1 } }).replace('"place"', '"__proto__"');
  const { headers } = decoded(text);
  expect(isJsonObject(headers) && Object.keys(headers)).toEqual(["lang", "task", "id"]);
  expect(reencoded(text, headers)).not.toContain("__proto__");
  expect(({} as { readonly polluted?: unknown }).polluted).toBeUndefined();
});
