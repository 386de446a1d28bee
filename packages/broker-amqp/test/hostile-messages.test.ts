import { deflateSync } from "node:zlib";
import type { Options } from "amqplib";
import { Inbox } from "@q/celery-kit";
import { createApp } from "@q/core";
import { isInstalled } from "@q/test-servers";
import { expect, onTestFinished, test } from "vitest";
import { amqp } from "../src/index.ts";
import { openChannel } from "./channel.ts";
import { newVhost } from "./shared-node.ts";

interface Junk {
  readonly body: Buffer;
  readonly options: Options.Publish;
}

const json = "application/json";
const plainBody = '[[], {"n": 1}, {}]';
const headers = { lang: "py", task: "count", id: "foreign", root_id: "foreign", retries: 0 };
const properties: Options.Publish = { contentType: json, contentEncoding: "utf-8", correlationId: "foreign", headers };

function junk(body: string | Buffer, options: Options.Publish = {}): Junk {
  return { body: Buffer.from(body), options: { ...properties, ...options } };
}

function withHeaders(changes: object, body: string | Buffer = plainBody): Junk {
  return junk(body, { headers: { ...headers, ...changes } });
}

const deep = (levels: number): string => "[".repeat(levels) + "]".repeat(levels);

/** What nobody can run, each of its kind. */
const kinds: readonly Junk[] = [
  junk(""),
  junk("not JSON"),
  junk("null"),
  junk("7"),
  junk("{}"),
  junk("[[], {}"),
  junk("[[], {}]"),
  junk("[null, null, {}]"),
  junk(Buffer.from([0x80, 0x04, 0x95, 0x0b, 0x00, 0xff, 0xfe, 0x2e])),
  junk(Buffer.from([0xff, 0xfe])),
  junk(deep(200_000)),
  junk(`[[${deep(100)}], {}, {}]`),
  junk(`[["${"x".repeat(2 ** 21)}"], {}, {}]`),
  junk(plainBody, { contentType: `${json}; charset=utf-8` }),
  junk(plainBody, { contentType: "application/x-python-serialize" }),
  junk(plainBody, { contentEncoding: "utf-16" }),
  { body: Buffer.from(plainBody), options: {} },
  withHeaders({ task: undefined }),
  withHeaders({ task: 7 }),
  withHeaders({ id: "" }),
  withHeaders({ id: "x".repeat(256) }),
  withHeaders({ eta: "" }),
  withHeaders({ eta: 1_577_836_800 }),
  withHeaders({ expires: "soon" }),
  withHeaders({ compression: "application/x-lzma" }),
  withHeaders({ compression: "application/x-gzip" }, deflateSync(Buffer.alloc(2 ** 25, " "))),
];

/** What would change a prototype, and can be run. */
const odd: readonly Junk[] = [
  withHeaders({ id: 12_345 }),
  junk('[[], {"n": 1, "__proto__": {"polluted": 1}}, {"__proto__": {"polluted": 1}}]'),
  junk('[[], {"n": 1, "\\u005f_proto__": {"polluted": 1}}, {}]'),
  withHeaders(JSON.parse('{"__proto__": {"polluted": 1}}') as object),
];

test("among junk of every kind, every good message runs; the junk is in the dead letters, and no prototype has changed", async ({
  skip,
}) => {
  skip(!isInstalled("rabbitmq-server"), "no RabbitMQ here: apt-get install rabbitmq-server");
  const { url } = await newVhost("hostile");
  const broker = amqp({ url });
  const app = createApp({ broker, queues: ["default"] });
  onTestFinished(() => app.close());
  await app.open();
  const good = kinds.length * 3;
  let [ran, dead] = [0, 0];
  const done = new Inbox<true>();
  app.instrumentedTask({ name: "count" }, ({ n, ...rest }: { readonly n: number }) => {
    expect([n, Object.keys(rest)]).toEqual([1, []]);
  });
  const worker = app.createWorker({
    onEvent: ({ type }) => {
      if (type === "task.succeeded") ran += 1;
      if (type === "task.dead") dead += 1;
      if (ran === good + odd.length && dead === kinds.length) done.put("all", true);
    },
  });
  const channel = await openChannel({ defer: onTestFinished }, url);
  const put = ({ body, options }: Junk): boolean =>
    channel.sendToQueue("default", body, { persistent: true, ...options });
  for (const one of kinds) {
    await app.sendTask("count", { n: 1 });
    put(one);
    await app.sendMany([1, 2].map(() => ({ task: "count", args: { n: 1 }, options: {} })));
  }
  for (const one of odd) put(one);
  await channel.waitForConfirms();
  await worker.start();
  await done.take("all");
  await worker.stop();

  const found = await broker.inspector?.deadLetters("default", { limit: 1000 });
  expect(found?.items).toHaveLength(kinds.length);
  expect(new Set(found?.items.map(({ reason }) => reason.code))).toEqual(new Set(["malformed"]));
  const bodies = found?.items.map(({ message }) => ("malformed" in message ? message.raw.length : message.body.length));
  const bySize = (one: number, other: number): number => one - other;
  expect(bodies?.toSorted(bySize)).toEqual(kinds.map(({ body }) => body.length).toSorted(bySize));
  expect(await broker.inspector?.stats("default")).toMatchObject({ ready: 0 });
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(({} as { readonly polluted?: unknown }).polluted).toBeUndefined();
});
