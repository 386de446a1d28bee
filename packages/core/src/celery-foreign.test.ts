import { describe, expect, it } from "vitest";
import { fromEnvelope, readForeignCases } from "../test/wire/captured.ts";
import type { BrokerMessage } from "./broker/broker-message.ts";
import { decodeMessage } from "./celery-codec.ts";
import { DecodeError } from "./decode-error.ts";
import type { JsonObject } from "./json.ts";

/** The code with which a message is refused, or its arguments. Anything else that is thrown fails the test. */
function fateOf(message: BrokerMessage): string | readonly unknown[] {
  try {
    return decodeMessage(message).args;
  } catch (error) {
    if (error instanceof DecodeError) return error.code;
    throw error;
  }
}

describe("foreign messages, as they were pushed at real Celery workers", () => {
  const id = "a2b4";
  const text = "[[1],{},{}]";
  const envelope = {
    body: Buffer.from(text).toString("base64"),
    "content-encoding": "utf-8",
    "content-type": "application/json",
    headers: { task: "interop.echo", id },
    properties: { delivery_tag: "t", delivery_info: { exchange: "", routing_key: "celery" }, body_encoding: "base64" },
  };
  const pushed = (change: object): BrokerMessage => fromEnvelope(JSON.stringify({ ...envelope, ...change }));
  const headed = (headers: object): BrokerMessage => pushed({ headers: { ...envelope.headers, ...headers } });
  const bodied = (body: unknown): BrokerMessage =>
    pushed({ body: Buffer.from(JSON.stringify(body)).toString("base64") });
  const delivered = (change: object): BrokerMessage => pushed({ properties: { ...envelope.properties, ...change } });
  const plainText = (body: string, encoding?: string): BrokerMessage =>
    pushed({ body, properties: { ...envelope.properties, body_encoding: encoding } });
  const chained = (chain: readonly object[]): BrokerMessage => bodied([[1], {}, { chain }]);
  const old = (headers: object | null, body: object): BrokerMessage => ({
    ...bodied(body),
    headers: headers as JsonObject,
  });
  const time = (name: string, value: unknown): BrokerMessage => headed({ [name]: value });
  const atEnvelope = "refused before it is a message";

  const fates: Readonly<Record<string, readonly [message: BrokerMessage | typeof atEnvelope, fate: unknown]>> = {
    "minimal: headers only task+id": [headed({}), [1]],
    "no body_encoding, body is plain JSON text": [plainText(text), [1]],
    "body_encoding=utf-8, body plain JSON text": [plainText(text, "utf-8"), [1]],
    "no delivery_info": [delivered({ delivery_info: undefined }), [1]],
    "delivery_info = {}": [delivered({ delivery_info: {} }), [1]],
    "no correlation_id/priority/delivery_mode": [pushed({}), [1]],
    "no content-encoding": [pushed({ "content-encoding": undefined }), [1]],
    "content-encoding null": [pushed({ "content-encoding": null }), [1]],
    "no content-type": [pushed({ "content-type": undefined }), "Q4102"],
    "content-type application/x-yaml": [pushed({ "content-type": "application/x-yaml" }), "Q4102"],
    'content-type "application/json; charset=utf-8"': [
      pushed({ "content-type": "application/json; charset=utf-8" }),
      "Q4102",
    ],
    "body [args, kwargs] only (2 items)": [bodied([[1], {}]), "Q4106"],
    "embed null": [bodied([[1], {}, null]), [1]],
    "embed {}": [bodied([[1], {}, {}]), [1]],
    "args null, kwargs null": [bodied([null, null, {}]), "Q4106"],
    "kwargs is a list": [bodied([[1], [], {}]), "Q4106"],
    "no id header": [pushed({ headers: { task: "interop.echo" } }), "Q4106"],
    "headers null + v1 body": [old(null, { task: "interop.echo", id, args: [1], kwargs: { a: 2 } }), [1]],
    "v1 body, headers {}": [old({}, { task: "interop.echo", id, args: [1], kwargs: { a: 2 } }), [1]],
    "v1 body, only task+id": [old({}, { task: "interop.echo", id }), []],
    "eta='2020-01-01T00:00:00Z'": [time("eta", "2020-01-01T00:00:00Z"), [1]],
    "eta='2020-01-01T00:00:00.123Z'": [time("eta", "2020-01-01T00:00:00.123Z"), [1]],
    "eta='2020-01-01T00:00:00.123456789Z'": [time("eta", "2020-01-01T00:00:00.123456789Z"), [1]],
    "eta='2020-01-01T00:00:00+0000'": [time("eta", "2020-01-01T00:00:00+0000"), [1]],
    "eta='2020-01-01 00:00:00'": [time("eta", "2020-01-01 00:00:00"), [1]],
    "eta='2020-01-01'": [time("eta", "2020-01-01"), [1]],
    "eta='2020-01-01T00:00:00.1+05:30'": [time("eta", "2020-01-01T00:00:00.1+05:30"), [1]],
    "eta=1577836800": [time("eta", 1577836800), "Q4106"],
    "eta=1577836800.5": [time("eta", 1577836800.5), "Q4106"],
    "eta='garbage'": [time("eta", "garbage"), "Q4106"],
    "eta=''": [time("eta", ""), "Q4106"],
    "expires='2099-01-01T00:00:00.123Z'": [time("expires", "2099-01-01T00:00:00.123Z"), [1]],
    "expires='2020-01-01T00:00:00Z'": [time("expires", "2020-01-01T00:00:00Z"), [1]],
    "expires=99": [time("expires", 99), "Q4106"],
    "expires='garbage'": [time("expires", "garbage"), "Q4106"],
    "timelimit null": [headed({ timelimit: null }), [1]],
    "retry task without retries header": [headed({}), [1]],
    "retry task, delivery_info without routing_key": [delivered({ delivery_info: { exchange: "" } }), [1]],
    "retry task, delivery_info exchange=null": [
      delivered({ delivery_info: { exchange: null, routing_key: "celery" } }),
      [1],
    ],
    "retry task, delivery_info exchange=celery rk=celery": [
      delivered({ delivery_info: { exchange: "celery", routing_key: "celery" } }),
      [1],
    ],
    "priority as string": [delivered({ priority: "5" }), [1]],
    "root_id/parent_id absent, chain present": [chained([{ task: "a", args: [], kwargs: {}, options: {} }]), [1]],
    "chain element minimal {task,args} only": [chained([{ task: "a", args: [] }]), [1]],
    "callback element minimal {task,args,kwargs,options}": [
      bodied([[1], {}, { callbacks: [{ task: "a", args: [], kwargs: {}, options: {} }] }]),
      [1],
    ],
    "callbacks as a single dict, not list": [bodied([[1], {}, { callbacks: { task: "a" } }]), [1]],
    "numeric id": [headed({ id: 12345 }), [1]],
    "raw UTF-8 (not ascii-escaped) envelope + body": [bodied([["日本語🙂"], {}, {}]), ["日本語🙂"]],
    "NO delivery_tag": [delivered({ delivery_tag: undefined }), [1]],
    "NO properties": [atEnvelope, ""],
    "not JSON at all": [atEnvelope, ""],
    "JSON but not an object": [atEnvelope, ""],
  };

  it("are all here", () => {
    expect(Object.keys(fates)).toEqual(readForeignCases().map((foreign) => foreign.case));
  });

  it.each(
    Object.entries(fates).flatMap(([name, [message, fate]]) =>
      message === atEnvelope ? [] : [{ name, message, fate }],
    ),
  )("$name", ({ message, fate }) => {
    expect(fateOf(message)).toEqual(fate);
  });

  it("that Celery runs are run here too", () => {
    const run = readForeignCases().filter(({ celery56 }) => celery56 === "SUCCESS");
    expect(run.length).toBeGreaterThan(25);
    expect(run.filter((foreign) => !Array.isArray(fates[foreign.case]?.[1])).map((foreign) => foreign.case)).toEqual(
      [],
    );
  });
});
