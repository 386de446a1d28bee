import { silentLogger, systemClock, type Delivery } from "@q/core/broker";
import { TcpProxy, type RedisServer } from "@q/test-servers";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { Connection } from "../src/connection.ts";
import { RedisConsumer } from "../src/consumer.ts";
import { Holder, type Landed } from "../src/holder.ts";
import { queueKeys } from "../src/keys.ts";
import { OpenBroker } from "../src/open-broker.ts";
import type { RedisBroker } from "../src/redis-broker.ts";
import { takeLanded } from "../src/scripts/take-landed.ts";
import { connect, startServer } from "./connecting.ts";
import { labelOf, message, messages } from "./messages.ts";
import { createBroker, noThread, testSettings } from "./redis-harness.ts";

const keys = queueKeys("default", "");

/** A lease that is seldom renewed, so that nothing but messages makes commands. */
function settingsOf(port: number) {
  return { ...testSettings(`redis://127.0.0.1:${port}/0`, ""), leaseMs: 60_000 };
}

/** One that has seen the script which stands behind waits: without, its answer is that it does not know it. */
async function startSeasonedServer(): Promise<RedisServer> {
  const server = await startServer();
  await takeLanded(await connect({ url: server.url }), keys, { id: "nobody", list: 0, most: 1, lastFence: 0 });
  return server;
}

async function openBroker(port: number, ...queues: readonly string[]): Promise<RedisBroker> {
  const broker = createBroker(settingsOf(port));
  onTestFinished(() => broker.close());
  await broker.open({ logger: silentLogger });
  await broker.declare(queues.map((name) => ({ name, priorities: false })));
  return broker;
}

/** What a consumer needs, for one that is made by hand. */
const holding = { keeper: noThread, process: "1:2:3" };

async function openParts(port: number): Promise<OpenBroker> {
  const own = { pid: 1, startedAt: null, bootId: null, pidNamespace: null };
  const liveness = { own, check: () => "unknown" as const };
  const startKeeper = () => {
    throw new Error("expected nobody to consume");
  };
  const open = await OpenBroker.open(settingsOf(port), { clock: systemClock, liveness, startKeeper }, silentLogger);
  onTestFinished(() => open.close());
  return open;
}

async function startProxy(server: RedisServer): Promise<TcpProxy> {
  const proxy = await TcpProxy.start(server);
  onTestFinished(() => proxy.stop());
  return proxy;
}

async function untilWaiting(server: RedisServer, count = 1): Promise<void> {
  await vi.waitFor(
    async () => expect(String(await server.command("info", "clients"))).toContain(`blocked_clients:${count}\r`),
    5000,
  );
}

/** How often a command was called, also by scripts. */
async function calls(server: RedisServer, command: string): Promise<number> {
  const stats = String(await server.command("info", "commandstats"));
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
}

/** Tags of what the consumers of a queue hold. */
async function held(server: RedisServer, queue = "default"): Promise<readonly string[]> {
  const names = (await server.command("keys", queueKeys(queue, "").held("*"))) as string[]; // what KEYS answers
  const tags = await Promise.all(names.map((name) => server.command("hkeys", name)));
  return tags.flat() as string[]; // what HKEYS answers
}

async function untilHeld(server: RedisServer, count: number, queue = "default"): Promise<void> {
  await vi.waitFor(async () => expect(await held(server, queue)).toHaveLength(count), 5000);
}

describe("an idle consumer", () => {
  test("is given a message with the answer to its wait, and waits again", async () => {
    const server = await startServer();
    const worker = await openBroker(server.port, "default");
    const sender = await openBroker(server.port, "default");
    const arrived: Delivery[] = [];
    await worker.consume(["default"], { prefetch: 10 }, (delivery) => void arrived.push(delivery));
    const send = async (label: string): Promise<void> => {
      await untilWaiting(server);
      await sender.publish([message(label)]);
      await vi.waitFor(() => expect(arrived.map(labelOf)).toContain(label), 5000);
    };
    // The server does not know the scripts yet.
    await send("first");
    const before = await calls(server, "evalsha");
    await send("second");
    await untilWaiting(server);
    // One that stores it and one that takes it.
    expect((await calls(server, "evalsha")) - before).toBe(2);
  });

  test.each([
    ["with that answer", 10],
    ["as far as its hands are free", 3],
  ])("is given what else is there %s", async (_, prefetch) => {
    const server = await startSeasonedServer();
    const worker = await openBroker(server.port, "default");
    const sender = await openBroker(server.port, "default");
    const arrived: string[] = [];
    await worker.consume(["default"], { prefetch }, (delivery) => void arrived.push(labelOf(delivery)));
    await untilWaiting(server);
    // From then on the server knows what stores them, too.
    await sender.publish([message("of nobody here", { queue: "other" })]);
    const before = await calls(server, "evalsha");
    await sender.publish(messages(5));
    const expected = ["m1", "m2", "m3", "m4", "m5"].slice(0, prefetch);
    await vi.waitFor(() => expect(arrived).toEqual(expected), 5000);
    // One that stores them and one that takes them.
    expect((await calls(server, "evalsha")) - before).toBe(2);
    expect(await ready(server, ["default"])).toBe(5 - expected.length);
  });

  test("takes by looking what a wait did not bring", async () => {
    const server = await startSeasonedServer();
    const worker = await openBroker(server.port, "default");
    const arrived: Delivery[] = [];
    await worker.consume(["default"], { prefetch: 2 }, (delivery) => {
      arrived.push(delivery);
      void delivery.settle({ kind: "ack" });
    });
    await untilWaiting(server);
    await worker.publish(messages(5));
    await vi.waitFor(() => expect(arrived.map(labelOf)).toEqual(["m1", "m2", "m3", "m4", "m5"]), 5000);
  });

  test.each([
    { name: "gives back what comes when its hands are full", prefetch: 1, perQueue: 1, heldOfEach: 1 },
    { name: "takes of each queue what it has hands for", prefetch: 4, perQueue: 4, heldOfEach: 2 },
  ])("$name", async ({ prefetch, perQueue, heldOfEach }) => {
    const server = await startSeasonedServer();
    const proxy = await startProxy(server);
    const queues = ["default", "other"];
    const worker = await openBroker(proxy.port, ...queues);
    const sender = await openBroker(server.port, ...queues);
    const arrived: Delivery[] = [];
    await worker.consume(queues, { prefetch }, (delivery) => void arrived.push(delivery));
    await untilWaiting(server, 2);
    // Both waits bring something before it hears of one.
    proxy.blackhole();
    const sent = queues.flatMap((queue) =>
      Array.from({ length: perQueue }, (_, index) => message(`${queue} ${index}`, { queue })),
    );
    await sender.publish(sent);
    for (const queue of queues) await untilHeld(server, heldOfEach, queue);
    await proxy.restore();
    await vi.waitFor(() => expect(arrived).toHaveLength(prefetch), 5000);
    await vi.waitFor(async () => expect(await ready(server, queues)).toBe(sent.length - prefetch), 5000);
    expect(arrived).toHaveLength(prefetch);
    await Promise.all(arrived.map((delivery) => delivery.settle({ kind: "ack" })));
    await vi.waitFor(() => expect(arrived.map(labelOf).toSorted()).toEqual(sent.map(({ id }) => id)), 5000);
  });

  test("gives back what comes in a paused queue, and waits no more", async () => {
    const server = await startSeasonedServer();
    const worker = await openBroker(server.port, "default");
    const arrived: string[] = [];
    await worker.consume(["default"], { prefetch: 10 }, (delivery) => void arrived.push(labelOf(delivery)));
    await untilWaiting(server);
    await worker.inspector.pause?.("default");
    await worker.publish(messages(1));
    await untilWaiting(server, 0);
    expect(await server.command("llen", "default")).toBe(1);
    await worker.inspector.resume?.("default");
    await vi.waitFor(() => expect(arrived).toEqual(["m1"]), 5000);
  });
});

async function ready(server: RedisServer, queues: readonly string[]): Promise<number> {
  const counts = await Promise.all(queues.map((queue) => server.command("llen", queue)));
  return counts.reduce<number>((sum, count) => sum + Number(count), 0);
}

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
    void waiting.call("blmove", "default", keys.landing(incarnation.id, 0), "RIGHT", "LEFT", 0);
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
});
