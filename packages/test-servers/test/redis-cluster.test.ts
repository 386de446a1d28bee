import { Cluster } from "ioredis";
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from "vitest";
import { isInstalled, RedisCluster } from "../src/index.ts";
import { until } from "../src/until.ts";

const installed = isInstalled("redis-server");
let cluster: RedisCluster;

beforeAll(async () => {
  if (installed) cluster = await RedisCluster.start();
});

beforeEach(({ skip }) => {
  skip(!installed, "no Redis here: apt-get install redis-server");
});

afterAll(async () => {
  if (installed) await cluster.stop();
});

function client(): Cluster {
  const redis = new Cluster(cluster.nodes.map(({ host, port }) => ({ host, port })));
  redis.on("error", () => undefined);
  onTestFinished(() => redis.disconnect());
  return redis;
}

test("the slots are spread over the masters, and a client finds each key", async () => {
  const redis = client();
  const keys = Array.from({ length: 100 }, (_, index) => `key${index}`);
  await Promise.all(keys.map((key) => redis.set(key, key)));
  expect(await Promise.all(keys.map((key) => redis.get(key)))).toEqual(keys);
  const sizes = await Promise.all(cluster.nodes.map((node) => node.command("DBSIZE")));
  expect(sizes).toHaveLength(3);
  for (const size of sizes) expect(size).toBeGreaterThan(10);
});

test("a moved slot takes its keys along, and its old owner points to the new one", async () => {
  const redis = client();
  const keys = Array.from({ length: 250 }, (_, index) => `{same}${index}`);
  await Promise.all(keys.map((key) => redis.set(key, key)));
  const slot = await redis.cluster("KEYSLOT", "same");
  // Slots lie in order: 13447 of 16384 is the last third.
  expect(Math.floor((slot * 3) / 16_384)).toBe(2);
  await cluster.moveSlot(slot, 0);
  expect(await cluster.nodes[0]?.command("CLUSTER", "COUNTKEYSINSLOT", slot)).toBe(250);
  await expect(cluster.nodes[2]?.command("GET", "{same}0")).rejects.toThrow(
    `MOVED ${slot} 127.0.0.1:${cluster.nodes[0]?.port}`,
  );
  expect(await Promise.all(keys.map((key) => redis.get(key)))).toEqual(keys);
});

test("a replica takes over from a master that was killed", async () => {
  const doubled = await RedisCluster.start({ replicas: 1 });
  onTestFinished(() => doubled.stop());
  const [master, , , replica] = doubled.nodes;
  expect(doubled.nodes).toHaveLength(6);
  await master?.kill();
  await until("the replica is the master", 20_000, async () => {
    return String(await replica?.command("INFO", "replication")).includes("role:master");
  });
});
