import { randomUUID } from "node:crypto";
import { silentLogger, type Lease } from "@q/core/broker";
import { RedisServer, TcpProxy } from "@q/test-servers";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { leaseKey } from "../src/keys.ts";
import type { RedisBroker } from "../src/redis-broker.ts";
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
  return broker;
}

async function openBehindProxy(prefix: string): Promise<{ readonly broker: RedisBroker; readonly proxy: TcpProxy }> {
  const proxy = await TcpProxy.start({ port: server.port });
  onTestFinished(() => proxy.stop());
  return { broker: await open(prefix, `redis://127.0.0.1:${proxy.port}/0`), proxy };
}

async function acquire({ leases }: RedisBroker, ttlMs = 1000): Promise<Lease> {
  const lease = await leases.acquire("lock", ttlMs);
  if (lease === null) throw new Error("expected the lease to be free");
  return lease;
}

test("a holder that is cut off knows that it lost the lease before anybody else can have it", async () => {
  const prefix = randomUUID();
  const { broker, proxy } = await openBehindProxy(prefix);
  const next = await open(prefix);
  // Redis knows the scripts then, and what is sent while cut off is carried out in order.
  await (await acquire(broker)).release();
  const lease = await acquire(broker);
  let lostAt = Infinity;
  lease.lost.addEventListener("abort", () => (lostAt = performance.now()));
  proxy.blackhole();
  // One attempt after the other, to have it in the very millisecond in which Redis gives it away.
  while ((await next.leases.acquire("lock", 1000)) === null);
  expect(lostAt).toBeLessThan(performance.now());
  await proxy.restore();
  await lease.release();
  expect(await broker.leases.acquire("lock", 1000)).toBe(null);
});

test("a lease outlives a connection that is cut again and again", async () => {
  const prefix = randomUUID();
  const { broker, proxy } = await openBehindProxy(prefix);
  const lease = await acquire(broker, 2000);
  const until = performance.now() + 5000;
  await expect
    .poll(
      () => {
        proxy.cut();
        return performance.now() > until;
      },
      { timeout: 10_000, interval: 700 },
    )
    .toBe(true);
  expect(lease.lost.aborted).toBe(false);
  expect(await (await open(prefix)).leases.acquire("lock", 1000)).toBe(null);
});

test("a closed broker tells its holders and frees its leases at once", async () => {
  const prefix = randomUUID();
  const [broker, next] = [await open(prefix), await open(prefix)];
  const lease = await acquire(broker, 60_000);
  await broker.close();
  expect(lease.lost.aborted).toBe(true);
  expect((await acquire(next)).fence).toBeGreaterThan(lease.fence);
});

test("the fence grows also when Redis has forgotten the lock", async () => {
  const prefix = randomUUID();
  const broker = await open(prefix);
  const lease = await acquire(broker);
  await lease.release();
  await server.command("del", leaseKey("lock", prefix));
  expect((await acquire(broker)).fence).toBeGreaterThan(lease.fence);
});

test("with memory full leases are taken, renewed and released", async () => {
  const prefix = randomUUID();
  const [broker, next] = [await open(prefix), await open(prefix)];
  await server.command("config", "set", "maxmemory", 1);
  onTestFinished(async () => void (await server.command("config", "set", "maxmemory", 0)));
  const lease = await acquire(broker, 300);
  const ends = async (): Promise<number> => Number(await server.command("hget", leaseKey("lock", prefix), "ends"));
  const first = await ends();
  await expect.poll(ends).toBeGreaterThan(first);
  await lease.release();
  expect((await acquire(next, 300)).fence).toBeGreaterThan(lease.fence);
});

test("a key of another type is left alone", async () => {
  const prefix = randomUUID();
  const broker = await open(prefix);
  await server.command("set", leaseKey("lock", prefix), "of another program");
  await expect(acquire(broker)).rejects.toMatchObject({ code: "Q1017" });
  expect(await server.command("get", leaseKey("lock", prefix))).toBe("of another program");
});
