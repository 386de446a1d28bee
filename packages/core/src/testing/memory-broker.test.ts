import { describe, expect, test } from "vitest";
import { PublishRejected, PublishUnknown } from "../broker/broker-error.ts";
import type { OutgoingMessage } from "../broker/broker-message.ts";
import type { Delivery } from "../broker/delivery.ts";
import { silentLogger } from "../logger.ts";
import { FakeClock } from "./fake-clock.ts";
import { memoryBroker, type MemoryBroker } from "./memory-broker.ts";
import { MemoryStore } from "./memory-store.ts";

// The laws that it shares with every broker are checked by @q/broker-testkit. Here is what only the memory broker can do.

const queue = "default";

function message(label: string, changes: Partial<OutgoingMessage> = {}): OutgoingMessage {
  const properties = { contentType: "application/json", contentEncoding: "utf-8" };
  return { id: label, queue, priority: 0, headers: {}, properties, body: Buffer.from(label), ...changes };
}

async function opened(store: MemoryStore): Promise<MemoryBroker> {
  const broker = memoryBroker({ store });
  await broker.open({ logger: silentLogger });
  return broker;
}

async function consumed(broker: MemoryBroker, prefetch = 10): Promise<Delivery[]> {
  const deliveries: Delivery[] = [];
  await broker.consume([queue], { prefetch }, (delivery) => deliveries.push(delivery));
  return deliveries;
}

const idOf = ({ message: delivered }: Delivery): string => ("id" in delivered ? delivered.id : "(malformed)");

describe("on a fake clock", () => {
  test("a delay of a week passes when the test says so, and not a millisecond before", async () => {
    const clock = new FakeClock();
    const broker = await opened(new MemoryStore({ clock }));
    const deliveries = await consumed(broker);
    await broker.publish([message("far", { delayMs: 7 * 86_400_000 })]);
    await clock.advance(7 * 86_400_000 - 1);
    expect(deliveries).toEqual([]);
    await clock.advance(1);
    expect(deliveries.map(idOf)).toEqual(["far"]);
  });

  test("setting the wall clock makes nothing due and expires no lease", async () => {
    const clock = new FakeClock();
    const broker = await opened(new MemoryStore({ clock }));
    const deliveries = await consumed(broker);
    await broker.publish([message("in an hour", { delayMs: 3_600_000 })]);
    const lease = await broker.leases.acquire("cron", 10_000);
    clock.set(clock.now() + 10 * 86_400_000);
    await clock.advance("1m");
    expect([deliveries.length, lease?.lost.aborted]).toEqual([0, false]);
  });

  test("what a crashed process held comes back after recoveryMs; from the second crash on the wait doubles", async () => {
    const clock = new FakeClock();
    const store = new MemoryStore({ clock, recoveryMs: 1000, crashDelayMs: 5000 });
    await (await opened(store)).publish([message("poison")]);
    const waits: number[] = [];
    for (let round = 0; round < 4; round += 1) {
      const worker = await opened(store);
      const deliveries = await consumed(worker);
      const since = clock.monotonic();
      while (deliveries.length === 0) await clock.advance(500);
      waits.push(clock.monotonic() - since);
      expect(deliveries[0]?.crashes).toBe(round);
      await deliveries[0]?.start();
      worker.crash();
    }
    expect(waits).toEqual([0, 1000, 6000, 11_000]);
  });

  test("a cut line costs a lease when its time is over, and not before", async () => {
    const clock = new FakeClock();
    const store = new MemoryStore({ clock });
    const [holder, other] = [await opened(store), await opened(store)];
    const lease = await holder.leases.acquire("cron", 9000);
    holder.disconnect();
    await clock.advance("5s");
    expect([lease?.lost.aborted, await other.leases.acquire("cron", 9000)]).toEqual([false, null]);
    await clock.advance("5s");
    expect(lease?.lost.aborted).toBe(true);
    expect((await other.leases.acquire("cron", 9000))?.fence).toBe(2);
  });
});

describe("with its line cut", () => {
  test("a lost request stores nothing and is rejected", async () => {
    const store = new MemoryStore();
    const broker = await opened(store);
    broker.disconnect();
    await expect(broker.publish([message("lost")])).rejects.toThrow(PublishRejected);
    expect(broker.connected).toBe(false);
    expect(store.queue(queue).readyCount).toBe(0);
  });

  test("a lost reply leaves the sender in doubt about a message that is stored", async () => {
    const store = new MemoryStore();
    const broker = await opened(store);
    broker.disconnect("replies");
    await expect(broker.publish([message("in doubt")])).rejects.toThrow(PublishUnknown);
    broker.reconnect();
    expect((await broker.inspector.stats(queue)).ready).toBe(1);
  });

  test("a consumer fetches nothing that it would not hear of", async () => {
    const store = new MemoryStore();
    const [worker, sender] = [await opened(store), await opened(store)];
    const deliveries = await consumed(worker);
    worker.disconnect("replies");
    await sender.publish([message("waits")]);
    expect([deliveries.length, store.queue(queue).readyCount]).toEqual([0, 1]);
  });
});

test("a broker that closed with its line cut, and is open again, keeps what it takes from then on", async () => {
  const clock = new FakeClock();
  const store = new MemoryStore({ clock, recoveryMs: 1000 });
  const broker = await opened(store);
  const before = await consumed(broker, 1);
  await broker.publish([message("first"), message("second")]);
  await clock.advance(0);
  broker.disconnect();
  await broker.close();
  expect(before[0]?.lost.aborted).toBe(true);
  broker.reconnect();
  await broker.open({ logger: silentLogger });
  const after = await consumed(broker);
  await clock.advance("5s");
  expect(after.map((delivery) => [idOf(delivery), delivery.crashes, delivery.lost.aborted])).toEqual([
    ["second", 0, false],
    ["first", 1, false],
  ]);
});

test("a crashed broker answers nobody and cannot be opened again", async () => {
  const clock = new FakeClock();
  const store = new MemoryStore({ clock });
  const broker = await opened(store);
  const deliveries = await consumed(broker);
  await broker.publish([message("held")]);
  await clock.advance(0);
  broker.crash();
  await expect(deliveries[0]?.settle({ kind: "ack" })).rejects.toMatchObject({ code: "Q1010" });
  await expect(broker.inspector.queues()).rejects.toMatchObject({ code: "Q1010" });
  await expect(broker.open({ logger: silentLogger })).rejects.toMatchObject({ code: "Q1010" });
  await broker.close();
  expect(store.queue(queue).inFlight.size).toBe(1);
});

test("nobody shares an object with the store", async () => {
  const clock = new FakeClock();
  const broker = await opened(new MemoryStore({ clock }));
  const headers = { list: [1] };
  const body = Buffer.from("body");
  await broker.publish([message("mine", { headers, body })]);
  headers.list.push(2);
  body.fill("x");
  const deliveries = await consumed(broker);
  await clock.advance(0);
  expect(deliveries[0]?.message).toMatchObject({ headers: { list: [1] }, body: new Uint8Array(Buffer.from("body")) });
});

test("a hundred thousand messages go through in the time of a test", { timeout: 20_000 }, async () => {
  const broker = await opened(new MemoryStore());
  const count = 100_000;
  await broker.publish(Array.from({ length: count }, (_, index) => message(String(index))));
  let handled = 0;
  const finished = new Promise<void>((resolve) => {
    void broker.consume([queue], { prefetch: 20 }, (delivery) => {
      void delivery.settle({ kind: "ack" }).then(() => (++handled === count ? resolve() : undefined));
    });
  });
  await finished;
  expect((await broker.inspector.stats(queue)).inFlight).toBe(0);
});

test("an idle consumer hears from its store for as long as there is a line to it", async () => {
  const clock = new FakeClock();
  const broker = memoryBroker({ store: new MemoryStore({ clock }) });
  await broker.open({ logger: silentLogger });
  const consumer = await broker.consume(["q"], { prefetch: 1 }, () => {});
  const first = consumer.heardAt;
  await clock.advance("10s");
  expect(consumer.heardAt).toBeGreaterThan(first);
  broker.disconnect();
  const cutAt = consumer.heardAt;
  await clock.advance("10s");
  expect(consumer.heardAt).toBe(cutAt);
  await consumer.stop();
  await broker.close();
});
