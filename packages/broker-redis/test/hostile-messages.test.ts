import { deflateSync } from "node:zlib";
import { Inbox } from "@q/celery-kit";
import { createApp } from "@q/core";
import { RedisServer } from "@q/test-servers";
import { expect, onTestFinished, test } from "vitest";
import { createBroker, testSettings } from "./redis-harness.ts";

/** An envelope as Celery writes it, with some parts replaced; `undefined` leaves one out. */
function envelope(changes: object = {}, properties: object = {}, headers: object = {}): string {
  return JSON.stringify({
    body: base64('[[], {"n": 1}, {"callbacks": null}]'),
    "content-encoding": "utf-8",
    "content-type": "application/json",
    headers: { lang: "py", task: "count", id: "foreign", ...headers },
    properties: {
      correlation_id: "foreign",
      delivery_mode: 2,
      delivery_info: { exchange: "", routing_key: "default" },
      priority: 0,
      body_encoding: "base64",
      delivery_tag: "tag",
      ...properties,
    },
    ...changes,
  });
}

function base64(text: string | Uint8Array): string {
  return Buffer.from(text).toString("base64");
}

const deep = (levels: number): string => `${"[".repeat(levels)}${"]".repeat(levels)}`;
const plainBody = '[[], {"n": 1}, {}]';

/** What can only be kept for a person to look at. Much of it kills a Celery worker. */
const junk: readonly (string | Buffer)[] = [
  "",
  "not JSON",
  "null",
  "7",
  "[]",
  "{}",
  envelope().slice(0, -1),
  envelope().slice(0, 200),
  Buffer.from([0x80, 0x04, 0x95, 0x0b, 0x00, 0xff, 0xfe, 0x2e]),
  Buffer.from(envelope().replace("foreign", "\u00ff"), "latin1"),
  deep(200_000),
  `{"headers":${deep(1000)}}`,
  envelope({ headers: [] }),
  envelope({ headers: { task: "count" } }),
  envelope({ headers: {} }),
  envelope({ properties: "none" }),
  envelope({ properties: undefined }),
  envelope({ "content-type": undefined }),
  envelope({ "content-type": "application/json; charset=utf-8" }),
  envelope({ "content-type": "application/x-python-serialize", body: base64("\u0080\u0004K\u0001.") }),
  envelope({ "content-encoding": "utf-16" }),
  envelope({ body: undefined }),
  envelope({ body: 7 }),
  envelope({ body: "%%%" }),
  envelope({}, { body_encoding: "rot13" }),
  envelope({ body: base64("[[], {}]") }),
  envelope({ body: base64("[null, null, {}]") }),
  envelope({ body: base64(`[[${deep(100)}], {}, {}]`) }),
  envelope({ body: base64(Buffer.from([0xff, 0xfe])) }),
  envelope({ body: base64(`[["${"x".repeat(2 ** 21)}"], {}, {}]`) }),
  envelope({ body: base64(deflateSync(Buffer.alloc(2 ** 25, " "))) }, {}, { compression: "application/x-gzip" }),
  envelope({}, {}, { compression: "application/x-lzma" }),
  envelope({}, {}, { task: undefined }),
  envelope({}, {}, { task: 7 }),
  envelope({}, {}, { id: "" }),
  envelope({}, {}, { id: "x".repeat(256) }),
  envelope({}, {}, { eta: "" }),
  envelope({}, {}, { eta: 1_577_836_800 }),
  envelope({}, {}, { expires: "soon" }),
];

/** What kills a Celery worker, or would change a prototype, and can be run all the same. */
const odd: readonly string[] = [
  envelope({}, {}, { id: 12_345 }),
  envelope({}, { delivery_tag: undefined }),
  envelope({}, { delivery_info: {} }),
  envelope({ body: plainBody }, { body_encoding: "utf-8" }),
  envelope({ body: plainBody, properties: undefined }),
  envelope({ body: base64('[[], {"n": 1, "__proto__": {"polluted": 1}}, {"__proto__": {"polluted": 1}}]') }),
  envelope({}, {}, { place: { polluted: 1 } }).replace('"place"', '"__proto__"'),
  envelope({}, { place: { polluted: 1 } }).replace('"place"', '"\\u005f_proto__"'),
  envelope({ place: { polluted: 1 } }).replace('"place"', '"__proto__"'),
];

test("among junk of every kind, every good message runs; the junk is in the dead letters, and no prototype has changed", async () => {
  const server = await RedisServer.start();
  onTestFinished(() => server.stop());
  const broker = createBroker({ ...testSettings(server.url, ""), leaseMs: 30_000 });
  const app = createApp({ broker, queues: ["default"] });
  onTestFinished(() => app.close());
  const good = junk.length * 3;
  let [ran, dead] = [0, 0];
  const done = new Inbox<true>();
  const look = (): void => {
    if (ran === good + odd.length && dead === junk.length) done.put("all", true);
  };
  app.instrumentedTask({ name: "count" }, ({ n, ...rest }: { readonly n: number }) => {
    expect([n, Object.keys(rest)]).toEqual([1, []]);
  });
  const worker = app.createWorker({
    onEvent: ({ type }) => {
      if (type === "task.succeeded") ran += 1;
      if (type === "task.dead") dead += 1;
      look();
    },
  });
  for (const raw of junk) {
    await app.sendTask("count", { n: 1 });
    await server.command("LPUSH", "default", raw);
    await app.sendMany([1, 2].map(() => ({ task: "count", args: { n: 1 }, options: {} })));
  }
  for (const raw of odd) await server.command("LPUSH", "default", raw);
  await worker.start();
  await done.take("all");
  await worker.stop();

  const { items } = await broker.inspector.deadLetters("default", { limit: 1000 });
  const sizes = junk.map((raw) => Buffer.byteLength(raw));
  const bySize = (one: number, other: number): number => one - other;
  expect(items.map(({ size }) => size).toSorted(bySize)).toEqual(sizes.toSorted(bySize));
  expect(new Set(items.map(({ reason }) => reason.code))).toEqual(new Set(["malformed"]));
  expect(await broker.inspector.stats("default")).toMatchObject({ ready: 0, delayed: 0, inFlight: 0 });
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(({} as { readonly polluted?: unknown }).polluted).toBeUndefined();
});
