import { silentLogger, type Page, type WaitingState } from "@q/core/broker";
import { RedisServer } from "@q/test-servers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { encodeEnvelope } from "../src/envelope.ts";
import { queueKeys } from "../src/keys.ts";
import { message, take } from "./messages.ts";
import { createBroker, testSettings } from "./redis-harness.ts";

const count = 1_000_000;
const keys = queueKeys("main", "");

let server: RedisServer;
beforeAll(async () => {
  server = await RedisServer.start();
});
afterAll(() => server.stop());

/** Runs Lua for `from` to `to` inside Redis, in steps. */
async function fill(lua: string, rows: number, ...args: string[]): Promise<void> {
  const step = 50_000;
  for (let from = 1; from <= rows; from += step)
    await server.command("eval", `for i = ARGV[1], ARGV[2] do ${lua} end`, 0, from, from + step - 1, ...args);
}

/** A full queue as the publisher and the settler write it. */
async function fillQueue(): Promise<void> {
  const { text } = encodeEnvelope(message("x"), { deliveryTag: "tag", priorities: false });
  const now = Date.now();
  await fill(`redis.call('LPUSH', '${keys.queue}', ARGV[3])`, count, text);
  await fill(
    `redis.call('ZADD', '${keys.delayed}', ARGV[4] + i, string.format('%016.0f', i) .. '0' .. ARGV[3])`,
    count,
    text,
    String(now + 3_600_000),
  );
  // All of them at once, as after an outage.
  await fill(
    `local entry = string.format('%016.0f', i)
     redis.call('HSET', '${keys.dead}', entry, ARGV[4] .. ':0:33:{"code":"failed","message":"same"}' .. ARGV[3])
     redis.call('ZADD', '${keys.deadIndex}', ARGV[4], entry)`,
    count / 10,
    text,
    String(now),
  );
}

async function medianMs(action: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < 9; round += 1) {
    const start = performance.now();
    await action();
    times.push(performance.now() - start);
  }
  return times.toSorted((one, other) => one - other)[4] ?? Infinity;
}

/** The cursor behind so many pages of a thousand. */
async function walk(page: (limit: number, cursor?: string) => Promise<Page<unknown>>, pages: number): Promise<string> {
  let cursor: string | undefined;
  for (let number = 0; number < pages; number += 1) cursor = (await page(1000, cursor)).next ?? undefined;
  expect(cursor).toBeDefined();
  return cursor ?? "";
}

test("with a million messages every look takes less than 50 ms, and Redis is never busy with it for longer", async () => {
  const broker = createBroker(testSettings(server.url, ""));
  await broker.open({ logger: silentLogger });
  await broker.declare([{ name: "main", priorities: false }]);
  await fillQueue();
  await server.command("config", "set", "slowlog-log-slower-than", 50_000);
  await server.command("slowlog", "reset");
  const { inspector } = broker;
  const peek = (state: WaitingState) => (limit: number, cursor?: string) =>
    inspector.peek?.("main", state, { limit, cursor }) ?? Promise.reject(new Error("no peek"));
  const deadLetters = (limit: number, cursor?: string): Promise<Page<unknown>> =>
    inspector.deadLetters("main", { limit, cursor });

  expect(await inspector.stats("main")).toMatchObject({ ready: count, delayed: count, dead: count / 10 });
  const times: Record<string, number> = { stats: await medianMs(() => inspector.stats("main")) };
  const lists = { ready: peek("ready"), delayed: peek("delayed"), dead: deadLetters };
  for (const [name, page] of Object.entries(lists)) {
    times[`first page, ${name}`] = await medianMs(() => page(100));
    const deep = await walk(page, 50);
    times[`deep page, ${name}`] = await medianMs(() => page(100, deep));
  }
  const middle = `ready.0.${count / 2}`;
  times["page in the middle"] = await medianMs(() => peek("ready")(100, middle));
  expect((await peek("ready")(100, middle)).next).toBe(`ready.0.${count / 2 + 100}`);
  await take(broker, 1000, "main");
  times["in flight"] = await medianMs(() => peek("in-flight")(100));
  expect(Object.entries(times).filter(([, ms]) => ms >= 50)).toEqual([]);

  expect(await inspector.purge("main")).toBe(2 * count - 1000);
  expect(await server.command("slowlog", "get", 100)).toEqual([]);
  await broker.close();
}, 120_000);
