import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from "vitest";
import { isInstalled, RedisSentinels } from "../src/index.ts";
import { until } from "../src/until.ts";

const installed = isInstalled("redis-server");
let group: RedisSentinels;

beforeAll(async () => {
  if (installed) group = await RedisSentinels.start({ name: "events", replicas: 2 });
});

beforeEach(({ skip }) => {
  skip(!installed, "no Redis here: apt-get install redis-server");
});

afterAll(async () => {
  if (installed) await group.stop();
});

/** The process that a client is led to by the sentinels. */
async function masterSeenByClient(): Promise<number> {
  const redis = new Redis({ sentinels: group.sentinels.map(({ host, port }) => ({ host, port })), name: group.name });
  redis.on("error", () => undefined);
  onTestFinished(() => redis.disconnect());
  return Number(/process_id:(\d+)/.exec(await redis.info("server"))?.[1]);
}

test("the sentinels lead to the master", async () => {
  const master = await group.master();
  expect(master).toBe(group.nodes[0]);
  expect(await masterSeenByClient()).toBe(master.pid);
});

test("when the master is killed a replica becomes the master, with the data", async () => {
  const old = await group.master();
  await old.command("SET", "key", "value");
  await until("both replicas have it", 10_000, async () => {
    const values = await Promise.all(group.nodes.map((node) => node.command("GET", "key")));
    return values.every((value) => value === "value");
  });
  const master = await group.killMaster();
  expect(master).not.toBe(old);
  expect(old.isRunning).toBe(false);
  expect(await masterSeenByClient()).toBe(master.pid);
  expect(await master.command("GET", "key")).toBe("value");
}, 90_000);

test("a failover makes a replica the master while the old one lives", async () => {
  const old = await group.master();
  const master = await group.failover();
  expect(master).not.toBe(old);
  expect(old.isRunning).toBe(true);
  expect(await masterSeenByClient()).toBe(master.pid);
  expect(await master.command("SET", "key", "value")).toBe("OK");
}, 90_000);
