import { silentLogger, type Delivery } from "@q/core/broker";
import { eventually } from "@q/fault-kit";
import type { RedisServer } from "@q/test-servers";
import { expect } from "vitest";
import { encodeEnvelope } from "../../../src/envelope.ts";
import { queueKeys } from "../../../src/keys.ts";
import type { RedisBroker } from "../../../src/redis-broker.ts";
import { message } from "../../messages.ts";
import { createBroker, testSettings } from "../../redis-harness.ts";
import type { Row, World } from "../world.ts";

const count = 1_000_000;
const deadCount = 100_000;
const keys = queueKeys("main", "");
const { text } = encodeEnvelope(message("x"), { deliveryTag: "tag", priorities: false });
const withinMs = 600_000;

/** Runs Lua for 1 to `rows` inside Redis, in steps. */
async function fill(server: RedisServer, lua: string, rows: number): Promise<void> {
  const step = 50_000;
  for (let from = 1; from <= rows; from += step)
    await server.command("eval", `for i = ARGV[1], ARGV[2] do ${lua} end`, 0, from, from + step - 1, text);
}

async function open(world: World, server: RedisServer): Promise<RedisBroker> {
  const broker = createBroker({ ...testSettings(server.url, ""), leaseMs: 30_000 });
  world.defer(() => broker.close());
  await broker.open({ logger: silentLogger });
  await broker.declare([{ name: "main", priorities: false }]);
  await server.command("config", "resetstat");
  return broker;
}

/** Takes `of` messages, as a fast worker does. */
async function takeAll(
  broker: RedisBroker,
  of: number,
  settle: (delivery: Delivery) => Promise<unknown>,
): Promise<void> {
  let settled = 0;
  const consumer = await broker.consume(["main"], { prefetch: 500 }, (delivery) => {
    void settle(delivery).then(() => (settled += 1));
  });
  await eventually(
    "all are settled",
    300_000,
    () => settled >= of,
    () => `, only ${settled}`,
  );
  await consumer.stop();
}

/** Claims and settles, as Redis measured them: 20 ms for the slowest in a hundred where it has a processor, and it may not have one. */
async function expectShortScripts(server: RedisServer): Promise<void> {
  const stats = String(await server.command("info", "latencystats"));
  const [, p50 = "", p99 = ""] = /percentiles_usec_evalsha:p50=([\d.]+),p99=([\d.]+)/.exec(stats) ?? [];
  expect(Number(p50)).toBeGreaterThan(0);
  expect(Number(p50)).toBeLessThan(10_000);
  expect(Number(p99)).toBeLessThan(50_000);
}

async function usedMemory(server: RedisServer): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(String(await server.command("info", "memory")))?.[1]);
}

const ack = (delivery: Delivery): Promise<unknown> => delivery.settle({ kind: "ack" });

export const millionWaiting: readonly Row[] = [
  {
    row: "53, pending",
    name: "a million messages wait and are worked off: every claim is short, and they take hardly more memory than their bytes",
    why: "the day after an outage is when the queue must be quick",
    withinMs,
    async run(world) {
      const server = await world.server();
      const before = await usedMemory(server);
      await fill(server, `redis.call('LPUSH', '${keys.queue}', ARGV[3])`, count);
      expect((await usedMemory(server)) - before).toBeLessThan(count * text.length * 1.3);
      const broker = await open(world, server);
      await takeAll(broker, count, ack);
      await expectShortScripts(server);
      expect(await broker.inspector.stats("main")).toMatchObject({ ready: 0, inFlight: 0, delayed: 0, dead: 0 });
    },
  },
  {
    row: "53, delayed",
    name: "a million delayed messages are due at once: none of the claims that make them ready takes long",
    why: "what was delayed during an outage is due when it ends",
    withinMs,
    async run(world) {
      const server = await world.server();
      await fill(
        server,
        `redis.call('ZADD', '${keys.delayed}', 1, string.format('%016.0f', i) .. '0' .. ARGV[3])`,
        count,
      );
      const broker = await open(world, server);
      await takeAll(broker, count, ack);
      await expectShortScripts(server);
      expect(await broker.inspector.stats("main")).toMatchObject({ ready: 0, inFlight: 0, delayed: 0 });
    },
  },
  {
    row: "53, dead",
    name: "a hundred thousand messages die, and are put back: no step takes long, and none is missing",
    why: "a bad deployment fails everything at once",
    withinMs,
    async run(world) {
      const server = await world.server();
      await fill(server, `redis.call('LPUSH', '${keys.queue}', ARGV[3])`, deadCount);
      const broker = await open(world, server);
      const reason = { code: "failed", message: "all of them" };
      await takeAll(broker, deadCount, (delivery) => delivery.settle({ kind: "bury", reason }));
      const { inspector } = broker;
      expect(await inspector.stats("main")).toMatchObject({ ready: 0, dead: deadCount });
      for (let moved = 0; moved < deadCount;) {
        const { items } = await inspector.deadLetters("main", { limit: 1000 });
        const redriven = await inspector.redrive("main", items);
        expect(redriven).toBeGreaterThan(0);
        moved += redriven;
      }
      expect(await inspector.stats("main")).toMatchObject({ ready: deadCount, dead: 0 });
      await expectShortScripts(server);
    },
  },
];
