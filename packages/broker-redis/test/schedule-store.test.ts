import { randomUUID } from "node:crypto";
import { silentLogger, type Tick } from "@q/core/broker";
import { ClockShim, RedisServer, TcpProxy } from "@q/test-servers";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { queueKeys, schedulesKey } from "../src/keys.ts";
import type { RedisBroker } from "../src/redis-broker.ts";
import { labelOf, message, take } from "./messages.ts";
import { createBroker, testSettings } from "./redis-harness.ts";

let server: RedisServer;
beforeAll(async () => {
  server = await RedisServer.start();
});
afterAll(() => server.stop());

async function open(prefix: string, url = server.url): Promise<RedisBroker> {
  const broker = createBroker(testSettings(url, prefix));
  onTestFinished(() => broker.close());
  await broker.open({ logger: silentLogger });
  await broker.declare([{ name: "default", priorities: false }]);
  return broker;
}

const tick = (at: number): Tick => ({
  name: "nightly",
  at,
  queue: "default",
  message: message(`at ${at}`, { queue: "default" }),
  isStored: false,
});

const newPrefix = (): string => `${randomUUID()}:`;

test("with memory full a tick is refused as a whole, and fired when there is room", async () => {
  const broker = await open(newPrefix());
  await broker.schedules.begin({ name: "nightly", at: 1000, queue: "default" });
  await server.command("CONFIG", "SET", "maxmemory", 1);
  onTestFinished(async () => void (await server.command("CONFIG", "SET", "maxmemory", 0)));
  await expect(broker.schedules.fire(tick(2000))).rejects.toMatchObject({ name: "PublishRejected", code: "Q1016" });
  await server.command("CONFIG", "SET", "maxmemory", 0);
  expect(await broker.schedules.list()).toMatchObject([{ lastTick: 1000 }]);
  expect(await broker.schedules.fire(tick(2000))).toBe("fired");
  expect(await broker.inspector.stats("default")).toMatchObject({ ready: 1 });
});

test("while answers get lost, each tick is stored once", async () => {
  const proxy = await TcpProxy.start({ port: server.port });
  onTestFinished(() => proxy.stop());
  const prefix = newPrefix();
  const [broker, witness] = [await open(prefix, `redis://127.0.0.1:${proxy.port}/0`), await open(prefix)];
  proxy.dropReplies({ probability: 0.3, thenCut: true });
  let fired = 0;
  for (; proxy.counters.silenced < 5; fired += 1) {
    // The store repeats it by itself for as long as a send may take.
    await expect
      .poll(() => broker.schedules.fire(tick(1000 + fired)).catch(String), { timeout: 20_000 })
      .toMatch(/fired|already/);
  }
  const taken = await take(witness, fired, "default");
  expect(taken.map(labelOf)).toEqual(taken.map((_, index) => `at ${1000 + index}`));
  expect(await witness.inspector.stats("default")).toMatchObject({ ready: 0, inFlight: fired });
});

test("the time of a tick is Redis's, whatever the time here", async () => {
  const shim = await ClockShim.create();
  onTestFinished(() => shim.remove());
  const early = await RedisServer.start({ env: shim.env });
  onTestFinished(() => early.stop());
  const broker = await open(newPrefix(), early.url);
  shim.offset(-3_600_000);
  const now = (await broker.schedules.now()) ?? 0;
  expect(Math.abs(now - (Date.now() - 3_600_000))).toBeLessThan(10_000);
  expect(await broker.schedules.fire(tick(Date.now()))).toBe("early");
  shim.offset(0);
  expect(await broker.schedules.fire(tick(Date.now()))).toBe("fired");
});

test("what another program wrote is passed over", async () => {
  const prefix = newPrefix();
  const broker = await open(prefix);
  await server.command("HSET", schedulesKey(prefix), "entry:a", "{", "entry:b", "[1]", "other", "1");
  await server.command("HSET", queueKeys("default", prefix).ticks, "c", "soon");
  await server.command("SADD", `${prefix}q:queues`, "{broken}");
  expect(await broker.schedules.list()).toEqual([
    { name: "a", lastTick: null, paused: false, entry: null },
    { name: "b", lastTick: null, paused: false, entry: null },
  ]);
});
