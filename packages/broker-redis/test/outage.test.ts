import { silentLogger, type Delivery } from "@q/core/broker";
import { RedisServer, TcpProxy } from "@q/test-servers";
import { expect, onTestFinished, test, vi } from "vitest";
import { queueKeys } from "../src/keys.ts";
import { messages } from "./messages.ts";
import { createBroker, testSettings } from "./redis-harness.ts";

test("what ends during an outage of several leases does not run again", async () => {
  const server = await RedisServer.start();
  onTestFinished(() => server.stop());
  const proxy = await TcpProxy.start(server);
  onTestFinished(() => proxy.stop());
  const [worker, onlooker] = [`redis://127.0.0.1:${proxy.port}/0`, server.url].map((url) =>
    createBroker(testSettings(url, "")),
  );
  if (worker === undefined || onlooker === undefined) throw new Error("expected two brokers");
  onTestFinished(async () => {
    await Promise.all([worker.close(), onlooker.close()]);
  });
  for (const broker of [worker, onlooker]) {
    await broker.open({ logger: silentLogger });
    await broker.declare([{ name: "default", priorities: false }]);
  }
  const deliveries: Delivery[] = [];
  await worker.consume(["default"], { prefetch: 10 }, (delivery) => void deliveries.push(delivery));
  await worker.publish(messages(2));
  await vi.waitFor(() => expect(deliveries).toHaveLength(2), 5000);
  proxy.refuse();
  proxy.cut();
  const [first, second] = deliveries;
  const ack = first?.settle({ kind: "ack" });
  const bury = second?.settle({ kind: "bury", reason: { code: "failed", message: "" } });
  // Whoever waits is told after one lease, and what he has ended stays ended.
  await expect(ack).rejects.toMatchObject({ code: "Q1001" });
  await expect(bury).rejects.toMatchObject({ code: "Q1001" });
  await proxy.restore();
  await vi.waitFor(
    async () => expect(await onlooker.inspector.stats("default")).toMatchObject({ ready: 0, inFlight: 0, dead: 1 }),
    { timeout: 10_000, interval: 50 },
  );
  expect(deliveries).toHaveLength(2);
});

test("what nobody runs goes back after a stop in an outage, also while another message runs", async () => {
  const server = await RedisServer.start();
  onTestFinished(() => server.stop());
  const proxy = await TcpProxy.start(server);
  onTestFinished(() => proxy.stop());
  const open = async (port: number) => {
    const broker = createBroker({ ...testSettings(`redis://127.0.0.1:${port}/0`, ""), leaseMs: 60_000 });
    onTestFinished(() => broker.close());
    await broker.open({ logger: silentLogger });
    return broker;
  };
  const [worker, onlooker] = [await open(proxy.port), await open(server.port)];
  const deliveries: Delivery[] = [];
  const consumer = await worker.consume(["default"], { prefetch: 10 }, (delivery) => void deliveries.push(delivery));
  const isWaiting = () =>
    expect.poll(async () => String(await server.command("info", "clients"))).toContain("blocked_clients:1\r");
  const stats = () => onlooker.inspector.stats("default");
  await isWaiting();
  await onlooker.publish(messages(1));
  await vi.waitFor(() => expect(deliveries).toHaveLength(1), 5000);
  await isWaiting();
  proxy.blackhole();
  await onlooker.publish(messages(1));
  await expect.poll(stats).toMatchObject({ ready: 0, inFlight: 2 });
  proxy.refuse();
  proxy.cut();
  await expect.poll(() => worker.connected).toBe(false);
  await consumer.stop();
  await proxy.restore();
  await expect.poll(stats, { timeout: 10_000 }).toMatchObject({ ready: 1, inFlight: 1 });
  expect(await deliveries[0]?.settle({ kind: "ack" })).toBe("settled");
  await expect.poll(stats).toMatchObject({ ready: 1, inFlight: 0, consumers: 0 });
});

test("a lease is renewed as soon as the connection is back, not when its next beat is due", async () => {
  const server = await RedisServer.start();
  onTestFinished(() => server.stop());
  const proxy = await TcpProxy.start(server);
  onTestFinished(() => proxy.stop());
  // Beats ten seconds apart.
  const worker = createBroker({ ...testSettings(`redis://127.0.0.1:${proxy.port}/0`, ""), leaseMs: 60_000 });
  onTestFinished(() => worker.close());
  await worker.open({ logger: silentLogger });
  await worker.consume(["default"], { prefetch: 1 }, () => undefined);
  const endOfLease = async (): Promise<number> =>
    Number(((await server.command("zrange", queueKeys("default", "").lease, 0, -1, "withscores")) as string[])[1]);
  await vi.waitFor(async () => expect(await endOfLease()).toBeGreaterThan(0), 3000);
  for (let cut = 0; cut < 3; cut += 1) {
    const before = await endOfLease();
    proxy.cut();
    await vi.waitFor(async () => expect(await endOfLease()).toBeGreaterThan(before), 3000);
  }
});

test("a worker starts although its connection is cut while it declares and begins to consume", async () => {
  const server = await RedisServer.start();
  onTestFinished(() => server.stop());
  const proxy = await TcpProxy.start(server);
  onTestFinished(() => proxy.stop());
  const worker = createBroker(testSettings(`redis://127.0.0.1:${proxy.port}/0`, ""));
  onTestFinished(() => worker.close());
  await worker.open({ logger: silentLogger });
  const declared = worker.declare([{ name: "default", priorities: false }]);
  proxy.cut();
  await declared;
  const arrived: Delivery[] = [];
  const consuming = worker.consume(["default"], { prefetch: 1 }, (delivery) => void arrived.push(delivery));
  proxy.cut();
  await consuming;
  await worker.publish(messages(1));
  await vi.waitFor(() => expect(arrived).toHaveLength(1), 5000);
});

/** A worker whose lease outlives the test. */
async function startWorker() {
  const server = await RedisServer.start();
  onTestFinished(() => server.stop());
  const worker = createBroker({ ...testSettings(server.url, ""), leaseMs: 60_000 });
  onTestFinished(() => worker.close());
  await worker.open({ logger: silentLogger });
  await worker.declare([{ name: "default", priorities: false }]);
  const deliveries: Delivery[] = [];
  await worker.consume(["default"], { prefetch: 10 }, (delivery) => void deliveries.push(delivery));
  return { server, worker, deliveries };
}

test("what was taken before Redis came back with older data ends nothing that was taken since", async () => {
  const { server, worker, deliveries } = await startWorker();
  const bring = async (count: number): Promise<void> => {
    await worker.publish(messages(1));
    await vi.waitFor(() => expect(deliveries).toHaveLength(count), 10_000);
  };
  await server.command("save");
  await bring(1);
  await server.kill();
  await server.restart();
  await bring(2);
  const [before, since] = deliveries;
  expect(since?.fence).toBeGreaterThan(before?.fence ?? Infinity);
  await before?.settle({ kind: "ack" });
  expect(await worker.inspector.stats("default")).toMatchObject({ ready: 0, inFlight: 1 });
  expect(await since?.settle({ kind: "bury", reason: { code: "failed", message: "" } })).toBe("settled");
});

test("a message that arrives for a worker of which Redis has forgotten everything is run by it all the same", async () => {
  const { server, worker, deliveries } = await startWorker();
  await vi.waitFor(
    async () => expect(String(await server.command("info", "clients"))).toContain("blocked_clients:1\r"),
    5000,
  );
  // As after a failover or a restart with older data, but it still waits.
  await server.command("flushall");
  await worker.publish(messages(1));
  await vi.waitFor(() => expect(deliveries).toHaveLength(1), 5000);
  expect(await deliveries[0]?.settle({ kind: "ack" })).toBe("settled");
  expect(await worker.inspector.queues()).toEqual(["default"]);
  // Should more land for who it was, others find it.
  expect(await server.command("zcard", queueKeys("default", "").grave)).toBe(1);
});
