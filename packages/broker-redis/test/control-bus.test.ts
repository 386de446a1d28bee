import { randomUUID } from "node:crypto";
import { silentLogger, type JsonObject } from "@q/core/broker";
import { RedisCluster, RedisServer, TcpProxy } from "@q/test-servers";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import type { Settings } from "../src/options.ts";
import type { RedisBroker } from "../src/redis-broker.ts";
import { createBroker, testSettings } from "./redis-harness.ts";

let server: RedisServer;
beforeAll(async () => {
  server = await RedisServer.start();
});
afterAll(() => server.stop());

async function open(settings: Settings): Promise<RedisBroker> {
  const broker = createBroker(settings);
  onTestFinished(() => broker.close());
  await broker.open({ logger: silentLogger });
  return broker;
}

async function listen(broker: RedisBroker, channel = "main"): Promise<JsonObject[]> {
  const heard: JsonObject[] = [];
  await broker.control.subscribe(channel, (payload) => void heard.push(payload));
  return heard;
}

/** Sends until it is heard, as nothing is stored for who is away. */
async function expectToHear(heard: readonly JsonObject[], sender: RedisBroker): Promise<void> {
  const isHeard = async (): Promise<boolean> => {
    await sender.control.broadcast("main", { after: "all" }).catch(() => undefined);
    return heard.length > 0;
  };
  await expect.poll(isHeard, { timeout: 20_000 }).toBe(true);
}

test("a listener that was cut off listens again", async () => {
  const proxy = await TcpProxy.start({ port: server.port });
  onTestFinished(() => proxy.stop());
  const prefix = randomUUID();
  const sender = await open(testSettings(server.url, prefix));
  const receiver = await open(testSettings(`redis://127.0.0.1:${proxy.port}/0`, prefix));
  const heard = await listen(receiver);
  for (let round = 0; round < 3; round += 1) {
    proxy.cut();
    await expectToHear(heard, sender);
    heard.length = 0;
  }
});

test("a listener hears nothing of another prefix or database of the same server", async () => {
  const prefix = randomUUID();
  const settings = testSettings(server.url, prefix);
  const brokers = [
    await open(settings),
    await open({ ...settings, db: 1 }),
    await open({ ...settings, prefix: `${prefix}2` }),
  ];
  const heard = await Promise.all(brokers.map((broker) => listen(broker)));
  for (const [number, broker] of brokers.entries()) await broker.control.broadcast("main", { number });
  await expect.poll(() => heard).toEqual([[{ number: 0 }], [{ number: 1 }], [{ number: 2 }]]);
});

test("what is no object is dropped, and a subscriber of one channel hears it once however often it is subscribed", async () => {
  const prefix = randomUUID();
  const broker = await open(testSettings(server.url, prefix));
  const [first, second] = [await listen(broker), await listen(broker)];
  const name = `${prefix}q.control.0.main`;
  for (const text of ["", "7", "null", "[1]", '{"a":', "[".repeat(20_000)]) await server.command("publish", name, text);
  await server.command("publish", name, Buffer.from([0xff, 0xfe]));
  await broker.control.broadcast("main", { sound: true });
  await expect.poll(() => [first, second]).toEqual([[{ sound: true }], [{ sound: true }]]);
});

test("who cannot be reached says so, and the next subscriber tries again", async () => {
  const proxy = await TcpProxy.start({ port: server.port });
  onTestFinished(() => proxy.stop());
  const broker = await open({ ...testSettings(`redis://127.0.0.1:${proxy.port}/0`, randomUUID()), timeoutMs: 300 });
  proxy.refuse();
  proxy.cut();
  await expect.poll(() => broker.connected).toBe(false);
  await expect(listen(broker)).rejects.toMatchObject({ code: "Q1001" });
  await expect(broker.control.broadcast("main", {})).rejects.toMatchObject({ code: "Q1001" });
  await proxy.restore();
  await expect.poll(() => broker.connected, { timeout: 10_000 }).toBe(true);
  await expectToHear(await listen(broker), broker);
});

test("in a cluster a broadcast reaches listeners at every node, also after theirs has died", async () => {
  const cluster = await RedisCluster.start({ replicas: 1 });
  onTestFinished(() => cluster.stop());
  const nodes = cluster.nodes.map(({ host, port }) => ({ host, port }));
  const settings: Settings = { ...testSettings(server.url, randomUUID()), target: { kind: "cluster", nodes } };
  const brokers = await Promise.all(Array.from({ length: 6 }, () => open(settings)));
  const heard = await Promise.all(brokers.map((broker) => listen(broker)));
  await brokers[0]?.control.broadcast("main", { to: "all" });
  await expect.poll(() => heard).toEqual(heard.map(() => [{ to: "all" }]));
  await cluster.nodes[0]?.kill();
  for (const one of heard) {
    one.length = 0;
    await expectToHear(one, brokers[1] ?? (await open(settings)));
  }
}, 90_000);
