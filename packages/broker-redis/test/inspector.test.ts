import { randomUUID } from "node:crypto";
import { readyAtHeader, silentLogger, type Page, type WaitingState } from "@q/core/broker";
import { RedisServer, TcpProxy } from "@q/test-servers";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { queueKeys, type QueueKeys } from "../src/keys.ts";
import type { RedisBroker } from "../src/redis-broker.ts";
import { labelOf, message, messages, take } from "./messages.ts";
import { createBroker, testSettings } from "./redis-harness.ts";

const reason = { code: "failed", message: "gab auf: 日本 🪦" };
const notText = Buffer.from([0xff, 0xfe, 0x00, 0x80, 0xc0]);

let server: RedisServer;
beforeAll(async () => {
  server = await RedisServer.start();
});
afterAll(() => server.stop());

interface Place {
  readonly broker: RedisBroker;
  readonly prefix: string;
  readonly keys: QueueKeys;
}

/** An open broker on keys of its own, with the queue `default`. */
async function open(options: { readonly priorities?: boolean; readonly prefix?: string } = {}): Promise<Place> {
  const { priorities = false, prefix = `${randomUUID()}:` } = options;
  const broker = createBroker(testSettings(server.url, prefix));
  onTestFinished(() => broker.close());
  await broker.open({ logger: silentLogger });
  await broker.declare([{ name: "default", priorities }]);
  return { broker, prefix, keys: queueKeys("default", prefix) };
}

async function bury(broker: RedisBroker, count: number): Promise<void> {
  const held = await take(broker, count);
  await Promise.all(held.map((delivery) => delivery.settle({ kind: "bury", reason })));
}

function peek({ inspector }: RedisBroker, state: WaitingState): (cursor?: string) => Promise<Page<Labelled>> {
  return (cursor) => inspector.peek?.("default", state, { limit: 10, cursor }) ?? Promise.reject(new Error("no peek"));
}

type Labelled = Parameters<typeof labelOf>[0];

/** The labels of every page. */
async function all(page: (cursor?: string) => Promise<Page<Labelled>>): Promise<string[]> {
  const found: string[] = [];
  for (let cursor: string | undefined; ;) {
    const { items, next } = await page(cursor);
    found.push(...items.map(labelOf));
    if (next === null) return found;
    expect(found.length, "the pages do not end").toBeLessThan(1000);
    cursor = next;
  }
}

function labels(count: number): string[] {
  return messages(count).map(({ id }) => id);
}

/** Everything that is stored under the prefix. */
async function contents(prefix: string): Promise<Record<string, unknown>> {
  const found = (await server.command("keys", `*${prefix}*`)) as string[]; // what KEYS answers
  const read: Readonly<Record<string, readonly [command: string, ...args: (string | number)[]]>> = {
    string: ["get"],
    list: ["lrange", 0, -1],
    hash: ["hgetall"],
    set: ["smembers"],
    zset: ["zrange", 0, -1, "WITHSCORES"],
  };
  const stored = await Promise.all(
    found.map(async (key) => {
      const [command, ...args] = read[String(await server.command("type", key))] ?? ["get"];
      return [key, await server.command(command, key, ...args)] as const;
    }),
  );
  return Object.fromEntries(stored);
}

test("a queue that nobody knows is empty", async () => {
  const { broker } = await open();
  const { inspector } = broker;
  expect(await inspector.stats("none")).toEqual({
    queue: "none",
    ready: 0,
    delayed: 0,
    inFlight: 0,
    dead: 0,
    oldestReadyMs: 0,
    consumers: 0,
    paused: false,
  });
  for (const state of ["ready", "delayed", "in-flight"] as const)
    expect(await inspector.peek?.("none", state, { limit: 1 })).toEqual({ items: [], next: null });
  expect(await inspector.deadLetters("none", { limit: 1 })).toEqual({ items: [], next: null });
  expect([
    await inspector.purge("none"),
    await inspector.redrive("none", [{ entryId: "1" }]),
    await inspector.drop("none", ["1"]),
  ]).toEqual([0, 0, 0]);
  expect(await inspector.queues()).toEqual(["default"]);
});

test("names that no queue can have are passed over", async () => {
  const { broker, prefix } = await open();
  await server.command("sadd", `${prefix}q:queues`, "{broken}", "");
  expect(await broker.inspector.queues()).toEqual(["default"]);
});

test("what is due counts as ready and is shown as ready, also while nobody claims it", async () => {
  const { broker } = await open();
  await broker.publish(messages(8));
  await broker.publish(messages(7, { delayMs: 1, id: "due", body: Buffer.from("due") }));
  await broker.publish(messages(4, { delayMs: 60_000 }));
  await expect.poll(async () => (await broker.inspector.stats("default")).ready).toBe(15);
  expect((await broker.inspector.stats("default")).delayed).toBe(4);
  expect(await all(peek(broker, "ready"))).toEqual([...labels(8), ...Array.from({ length: 7 }, () => "due")]);
  expect(await all(peek(broker, "delayed"))).toEqual(labels(4));
});

test("the age of the oldest ready message is what its header says, and unknown when it says nothing", async () => {
  const { broker } = await open();
  const oldestReadyMs = async (): Promise<number | null> => (await broker.inspector.stats("default")).oldestReadyMs;
  const aged = (label: string, ageMs: number) =>
    message(label, { headers: { task: "test", [readyAtHeader]: Date.now() - ageMs } });
  await broker.publish([aged("old", 60_000), aged("young", 1000), message("of another program")]);
  expect(await oldestReadyMs()).toBeGreaterThanOrEqual(60_000);
  expect(await oldestReadyMs()).toBeLessThan(120_000);
  const [, young] = await take(broker, 2);
  expect(await oldestReadyMs()).toBe(null);
  await young?.settle({ kind: "release" });
  expect(await oldestReadyMs()).toBeLessThan(60_000);
  const page = await broker.inspector.peek?.("default", "ready", { limit: 2 });
  expect(page?.items.map(({ dueAt }) => dueAt)).toEqual([expect.any(Number), null]);
});

test("pages show messages of one time once each, and what is pushed meanwhile shifts nothing", async () => {
  const { broker, keys } = await open();
  await broker.publish(messages(35));
  await broker.publish(messages(35, { delayMs: 3_600_000 }));
  const members = (await server.command("zrange", keys.delayed, 0, -1)) as string[]; // what ZRANGE answers
  const at = Date.now() + 3_600_000;
  await server.command("zadd", keys.delayed, ...members.flatMap((member) => [at, member]));
  const pushing = (state: WaitingState) => async (cursor?: string) => {
    const page = await peek(broker, state)(cursor);
    await broker.publish([message("late"), message("late", { delayMs: 7_200_000 })]);
    return page;
  };
  expect((await all(pushing("ready"))).slice(0, 35)).toEqual(labels(35));
  expect((await all(pushing("delayed"))).slice(0, 35)).toEqual(labels(35));
  const held = await take(broker, 35);
  expect(await all(peek(broker, "in-flight"))).toEqual(held.map(labelOf));
});

test("pages of what is in flight are complete, also while some of it ends", async () => {
  const { broker, prefix } = await open();
  await broker.publish(messages(30));
  const held = await take(broker, 30);
  const proxy = await TcpProxy.start(server);
  onTestFinished(() => proxy.stop());
  const onlooker = createBroker(testSettings(`redis://127.0.0.1:${proxy.port}/0`, prefix));
  onTestFinished(() => onlooker.close());
  await onlooker.open({ logger: silentLogger });
  const looks = async (): Promise<number> =>
    Number(/cmdstat_hkeys:calls=(\d+)/.exec(String(await server.command("info", "commandstats")))?.[1] ?? 0);
  const before = await looks();
  // Between the look for what there is and the look at it.
  proxy.latency(500);
  const looking = all(peek(onlooker, "in-flight"));
  await expect.poll(looks, { interval: 5, timeout: 10_000 }).toBeGreaterThan(before);
  expect(await held[3]?.settle({ kind: "ack" })).toBe("settled");
  proxy.latency(0);
  expect(await looking).toEqual(labels(30).filter((label) => label !== "m4"));
});

test("pages of dead letters that died in one moment are complete, also while some are dropped", async () => {
  const { broker, keys } = await open();
  await broker.publish(messages(35));
  await bury(broker, 35);
  const entries = (await server.command("zrange", keys.deadIndex, 0, -1)) as string[]; // what ZRANGE answers
  await server.command("zadd", keys.deadIndex, ...entries.flatMap((entry) => [1000, entry]));
  for (const dropsLast of [false, true]) {
    const dropping = async (cursor?: string): Promise<Page<Labelled>> => {
      const page = await broker.inspector.deadLetters("default", { limit: 10, cursor });
      // The one by which the next page is found.
      const last = page.items.at(-1)?.entryId ?? "";
      expect(await broker.inspector.drop("default", dropsLast ? [last] : [])).toBe(dropsLast ? 1 : 0);
      return page;
    };
    expect(await all(dropping)).toEqual(labels(35).toReversed());
  }
  expect((await broker.inspector.stats("default")).dead).toBe(31);
});

test("bytes that are no text come back as they were, ready, in flight and dead", async () => {
  const { broker, keys } = await open();
  await server.command("rpush", keys.lists[0] ?? "", notText);
  const seen = async (page: (cursor?: string) => Promise<Page<Labelled>>) =>
    (await page()).items.map(({ message: found }) => ("malformed" in found ? Buffer.from(found.raw) : found));
  expect(await seen(peek(broker, "ready"))).toEqual([notText]);
  const [held] = await take(broker, 1);
  expect(await seen(peek(broker, "in-flight"))).toEqual([notText]);
  await held?.settle({ kind: "bury", reason });
  const deadLetters = (): Promise<Page<Labelled>> => broker.inspector.deadLetters("default", { limit: 10 });
  expect(await seen(deadLetters)).toEqual([notText]);
  expect((await broker.inspector.deadLetters("default", { limit: 10 })).items[0]).toMatchObject({ reason, size: 5 });
  expect(await broker.inspector.redrive("default", [{ entryId: "1" }])).toBe(0);
  expect(await seen(deadLetters)).toEqual([notText]);
});

test("a message without a body that can be read stays dead", async () => {
  const { broker, keys } = await open();
  await server.command("rpush", keys.lists[0] ?? "", '{"body":5,"headers":{"id":"m"},"properties":{}}');
  await bury(broker, 1);
  expect(await broker.inspector.redrive("default", [{ entryId: "1" }])).toBe(0);
  expect(await broker.inspector.stats("default")).toMatchObject({ ready: 0, dead: 1 });
});

test("a dead letter that q has not written is shown with all its bytes", async () => {
  const { broker, keys } = await open();
  await server.command("hset", keys.dead, "0000000000000007", notText);
  await server.command("zadd", keys.deadIndex, 5, "0000000000000007");
  const { items } = await broker.inspector.deadLetters("default", { limit: 10 });
  expect(items).toMatchObject([{ entryId: "7", diedAt: 5, message: { raw: notText }, reason: { code: "unknown" } }]);
});

test("a redriven message keeps its id with other headers, and its priority's list only where lists are read", async () => {
  for (const priorities of [true, false]) {
    const { broker, keys } = await open({ priorities: true });
    await broker.publish([message("m", { priority: 3, headers: { id: "m", task: "test" } })]);
    await bury(broker, 1);
    if (!priorities) await server.command("hset", keys.meta, "priorities", 0);
    expect(await broker.inspector.redrive("default", [{ entryId: "1", headers: { task: "test" } }])).toBe(1);
    expect(await server.command("llen", keys.lists[priorities ? 2 : 0] ?? "")).toBe(1);
    const page = await broker.inspector.peek?.("default", "ready", { limit: 1 });
    expect(page?.items).toMatchObject([{ message: { id: "m", headers: { task: "test" } } }]);
  }
});

test.each(["junk", "ready.1", "due.1.x", "delayed.1.2", "ready.1.2.3", "ready.0.9007199254740993", ""])(
  "%j is no cursor",
  async (cursor) => {
    const { broker } = await open();
    const refused = { code: "Q1013" };
    await expect(broker.inspector.peek?.("default", "ready", { limit: 1, cursor })).rejects.toMatchObject(refused);
    await expect(broker.inspector.deadLetters("default", { limit: 1, cursor })).rejects.toMatchObject(refused);
  },
);

test("entry ids that are none of ours are no entries", async () => {
  const { broker } = await open();
  await broker.publish(messages(1));
  await bury(broker, 1);
  const odd = ["", "x", "-1", "1e0", " 1", "01", "0000000000000001", "99999999999999999999"];
  expect(await broker.inspector.drop("default", odd)).toBe(0);
  expect(
    await broker.inspector.redrive(
      "default",
      odd.map((entryId) => ({ entryId })),
    ),
  ).toBe(0);
  expect(await broker.inspector.drop("default", ["1", "1"])).toBe(1);
});

/** Which keys of a queue a method looks at. */
const uses: Readonly<Record<string, readonly (keyof QueueKeys)[]>> = {
  stats: ["lists", "delayed", "meta", "dead", "lease", "grave"],
  "peek ready": ["lists", "delayed"],
  "peek delayed": ["delayed"],
  "peek in-flight": ["lease", "grave"],
  deadLetters: ["dead", "deadIndex"],
  pause: ["meta"],
  resume: ["meta"],
  purge: ["lists", "delayed", "lease", "grave"],
  redrive: ["lists", "meta", "dead", "deadIndex"],
  drop: ["dead", "deadIndex"],
};

test.each(Object.entries(uses))("%s refuses a key of another type and changes nothing", async (method, names) => {
  const { broker, prefix, keys } = await open({ priorities: true });
  await broker.publish(Array.from({ length: 10 }, (_, priority) => message(`p${priority}`, { priority })));
  await broker.publish(messages(2, { delayMs: 3_600_000 }));
  await bury(broker, 1);
  const [name = "", state] = method.split(" ");
  const { inspector } = broker;
  const run = (): Promise<unknown> | undefined => {
    if (name === "peek") return inspector.peek?.("default", state as WaitingState, { limit: 100 });
    if (name === "deadLetters") return inspector.deadLetters("default", { limit: 10 });
    if (name === "redrive") return inspector.redrive("default", [{ entryId: "1" }]);
    if (name === "drop") return inspector.drop("default", ["1"]);
    return inspector[name as "stats" | "purge" | "pause" | "resume"]("default");
  };
  for (const key of names.flatMap((named) => keys[named] as string | readonly string[])) {
    await server.command("rename", key, `${prefix}aside`).catch(() => undefined);
    await server.command("set", key, "of another program");
    const before = await contents(prefix);
    await expect(run()).rejects.toMatchObject({ code: "Q1017" });
    expect(await contents(prefix)).toEqual(before);
    await server.command("del", key);
    await server.command("rename", `${prefix}aside`, key).catch(() => undefined);
  }
  await run();
});

test("with memory full nothing is redriven, and what frees memory works", async () => {
  const { broker, prefix } = await open();
  await broker.publish(messages(10));
  await bury(broker, 5);
  const before = await contents(prefix);
  await server.command("config", "set", "maxmemory", 1);
  onTestFinished(async () => void (await server.command("config", "set", "maxmemory", 0)));
  const { inspector } = broker;
  await expect(inspector.redrive("default", [{ entryId: "1" }])).rejects.toMatchObject({ code: "Q1016" });
  expect(await contents(prefix)).toEqual(before);
  expect(await inspector.stats("default")).toMatchObject({ ready: 5, dead: 5 });
  expect(await inspector.drop("default", ["1", "2"])).toBe(2);
  expect(await inspector.purge("default")).toBe(5);
  await inspector.resume("default");
  expect(await inspector.stats("default")).toMatchObject({ ready: 0, dead: 3 });
});

test("a look waits for a connection that comes back", async () => {
  const { broker } = await open();
  await broker.publish(messages(3));
  await server.command("client", "kill", "type", "normal");
  await expect.poll(() => broker.connected).toBe(false);
  expect(await broker.inspector.stats("default")).toMatchObject({ ready: 3 });
});
