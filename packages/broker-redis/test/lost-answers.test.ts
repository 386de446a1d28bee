import { systemClock, type Delivery } from "@q/core/broker";
import type { RedisServer, TcpProxy } from "@q/test-servers";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { Connection } from "../src/connection.ts";
import { RedisConsumer } from "../src/consumer.ts";
import { Holder, type Landed } from "../src/holder.ts";
import { queueKeys } from "../src/keys.ts";
import { labelOf, message, messages } from "./messages.ts";
import { noThread } from "./redis-harness.ts";
import {
  calls,
  held,
  openBroker,
  openParts,
  ready,
  settingsOf,
  startProxy,
  startSeasonedServer,
  untilHeld,
  untilWaiting,
} from "./waiting.ts";

const keys = queueKeys("default", "");

/** What a consumer needs, for one that is made by hand. */
const holding = { keeper: noThread, process: "1:2:3" };

describe("what was taken behind a wait whose answer got lost", () => {
  test("is found, and each runs once", async () => {
    const server = await startSeasonedServer();
    const proxy = await startProxy(server);
    const worker = await openBroker(proxy.port, "default");
    const sender = await openBroker(server.port, "default");
    const arrived: string[] = [];
    await worker.consume(["default"], { prefetch: 10 }, (delivery) => void arrived.push(labelOf(delivery)));
    await untilWaiting(server);
    proxy.blackhole();
    await sender.publish(messages(3));
    await untilHeld(server, 3);
    proxy.cut();
    await proxy.restore();
    await vi.waitFor(() => expect(arrived.toSorted()).toEqual(["m1", "m2", "m3"]), 5000);
    await untilWaiting(server);
    expect(arrived).toHaveLength(3);
  });

  test.each([
    { of: "two queues", queues: ["default", "other"], waits: 2, second: { queue: "other" } },
    { of: "two priorities", queues: [{ name: "default", priorities: true }], waits: 4, second: { priority: 9 } },
  ])("goes back when other messages fill the hands, of $of", async ({ queues, waits, second }) => {
    const server = await startSeasonedServer();
    const proxy = await startProxy(server);
    const worker = await openBroker(proxy.port, ...queues);
    const sender = await openBroker(server.port, ...queues);
    const arrived: Delivery[] = [];
    const names = queues.map((queue) => (typeof queue === "string" ? queue : queue.name));
    await worker.consume(names, { prefetch: 1 }, (delivery) => void arrived.push(delivery));
    await untilWaiting(server, waits);
    proxy.blackhole();
    const sent = [message("a"), message("b", second)];
    await sender.publish(sent);
    for (const queue of names) await untilHeld(server, 2 / names.length, queue);
    proxy.cut();
    await proxy.restore();
    await vi.waitFor(() => expect(arrived).toHaveLength(1), 5000);
    const lists = names.flatMap((queue) => queueKeys(queue, "").lists);
    await vi.waitFor(async () => expect(await ready(server, lists)).toBe(1), 5000);
    expect(arrived).toHaveLength(1);
    await arrived[0]?.settle({ kind: "ack" });
    await vi.waitFor(() => expect(arrived.map(labelOf).toSorted()).toEqual(["a", "b"]), 5000);
  });

  test("is found although another queue never runs dry", async () => {
    const server = await startSeasonedServer();
    const waits = await startProxy(server);
    const { store } = await openParts(server.port);
    // Ten times as fast: a wait without an answer is over much later than all queues have been looked at.
    const clock = {
      ...systemClock,
      monotonic: () => 10 * systemClock.monotonic(),
      setTimer: (...[delayMs, ...rest]: Parameters<typeof systemClock.setTimer>) =>
        systemClock.setTimer(delayMs / 10, ...rest),
    };
    const sender = await openBroker(server.port, "default", "busy");
    const another = message("another", { queue: "busy" });
    const arrived: string[] = [];
    const consumer = await RedisConsumer.start(
      { ...store, settings: settingsOf(waits.port), clock },
      {
        queues: ["default", "busy"],
        prefetch: 1,
        ...holding,
        onDelivery: (delivery) => {
          arrived.push(labelOf(delivery));
          // For each that ends there is another one.
          if (labelOf(delivery) === "another")
            void sender.publish([another]).then(() => delivery.settle({ kind: "ack" }));
        },
      },
    );
    onTestFinished(() => consumer.stop());
    await untilWaiting(server, 2);
    await sender.publish(Array.from({ length: 5 }, () => another));
    await vi.waitFor(() => expect(arrived.length).toBeGreaterThan(10), 5000);
    waits.blackhole();
    await sender.publish([message("lost")]);
    await untilHeld(server, 1);
    await vi.waitFor(() => expect(arrived).toContain("lost"), 5000);
  });

  test.each(["never", "while it stops"] as const)(
    "goes back when the consumer stops, also while another message runs: answered %s",
    async (answered) => {
      const server = await startSeasonedServer();
      const waits = await startProxy(server);
      const { store } = await openParts(server.port);
      const arrived: Delivery[] = [];
      const consumer = await RedisConsumer.start(
        { ...store, settings: settingsOf(waits.port) },
        { queues: ["default"], prefetch: 10, ...holding, onDelivery: (delivery) => void arrived.push(delivery) },
      );
      await untilWaiting(server);
      await server.command("lpush", "default", "runs");
      await vi.waitFor(() => expect(arrived).toHaveLength(1), 5000);
      await untilWaiting(server);
      waits.blackhole();
      await server.command("lpush", "default", "lost");
      await untilHeld(server, 2);
      const stopped = consumer.stop();
      if (answered === "never") waits.cut();
      await waits.restore();
      await stopped;
      expect(arrived).toHaveLength(1);
      expect(await server.command("lrange", "default", 0, -1)).toEqual(["lost"]);
      expect(await held(server)).toHaveLength(1);
      expect(await arrived[0]?.settle({ kind: "ack" })).toBe("settled");
    },
  );
});

describe("an answer to a wait and one to a look for what was lost that cross", () => {
  interface Crossing {
    readonly server: RedisServer;
    /** Of what is asked outside of waits. */
    readonly looks: TcpProxy;
    /** Of the waits. */
    readonly waits: TcpProxy;
    readonly holder: Holder;
    readonly landed: Promise<Landed>;
  }

  /** A message has landed and is taken, and the answer is held up. */
  async function crossing(): Promise<Crossing> {
    const server = await startSeasonedServer();
    const [looks, waits] = [await startProxy(server), await startProxy(server)];
    const { store } = await openParts(looks.port);
    const holder = new Holder(store, { queue: "default", ...holding }, () => undefined);
    const incarnation = await holder.current();
    const waiting = await Connection.open({ ...store, settings: settingsOf(waits.port) });
    onTestFinished(() => waiting.close());
    const moved = waiting.call("blmove", "default", keys.landing(incarnation.id, 0), "RIGHT", "LEFT", 0);
    // Some tests cut it off.
    void moved.catch(() => undefined);
    const landed = holder.takeLanded(waiting, incarnation, { list: 0, most: 10 });
    await untilWaiting(server);
    // By then the server has what stands behind the wait, too.
    await vi.waitFor(
      async () => expect(String(await server.command("client", "list"))).toMatch(/ qbuf=[1-9]\d+ .*cmd=blmove/),
      5000,
    );
    waits.blackhole();
    await server.command("lpush", "default", "m");
    await untilHeld(server, 1);
    return { server, looks, waits, holder, landed };
  }

  test("hand a message out once, when the look is answered first", async () => {
    const { waits, holder, landed } = await crossing();
    const { deliveries } = await holder.take(10);
    expect(deliveries).toHaveLength(1);
    // It is over and forgotten by the time the other answer comes.
    expect(await deliveries[0]?.settle({ kind: "ack" })).toBe("settled");
    await waits.restore();
    expect((await landed).deliveries).toEqual([]);
  });

  test("hand a message out once, when the wait is answered first", async () => {
    const { server, looks, waits, holder, landed } = await crossing();
    looks.latency(300);
    const looking = holder.take(10);
    // Only a look for what was lost asks for it.
    const before = await calls(server, "hkeys");
    await vi.waitFor(async () => expect(await calls(server, "hkeys")).toBeGreaterThan(before), 5000);
    await waits.restore();
    const brought = (await landed).deliveries;
    const settled = brought[0]?.settle({ kind: "ack" });
    const { deliveries } = await looking;
    expect([...deliveries, ...brought]).toHaveLength(1);
    looks.latency(0);
    await settled;
  });

  test("hand out what the look takes, also when it cannot be told what was lost", async () => {
    const { server, waits, holder, landed } = await crossing();
    await server.command("lpush", "default", "another");
    // Of no matter to who claims; who asks for what was lost is refused.
    await server.command("set", keys.crashes, "of another program");
    expect((await holder.take(10)).deliveries).toHaveLength(1);
    await server.command("del", keys.crashes);
    expect((await holder.take(10)).deliveries).toHaveLength(1);
    await waits.restore();
    expect((await landed).deliveries).toEqual([]);
  });

  test("give back nothing that a look hands out which begins meanwhile", async () => {
    const { server, looks, waits, holder, landed } = await crossing();
    await server.command("lpush", "default", "another");
    looks.latency(300);
    const before = await calls(server, "evalsha");
    const givingBack = holder.giveBackUnheard();
    // It knows what has landed, and then asks what was lost.
    await vi.waitFor(async () => expect(await calls(server, "evalsha")).toBeGreaterThan(before), 5000);
    const looking = holder.take(10);
    waits.cut();
    await expect(landed).rejects.toMatchObject({ code: "Q1001" });
    await givingBack;
    const { deliveries } = await looking;
    looks.latency(0);
    expect(deliveries.length).toBeGreaterThan(0);
    for (const delivery of deliveries) expect(await delivery.settle({ kind: "ack" })).toBe("settled");
    expect(await ready(server, ["default"])).toBe(2 - deliveries.length);
  });
});
