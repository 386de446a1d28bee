import { setTimeout as pause } from "node:timers/promises";
import { silentLogger } from "@q/core/broker";
import { eventually } from "@q/fault-kit";
import { expect } from "vitest";
import { queueKeys } from "../../../src/keys.ts";
import { message } from "../../messages.ts";
import { createBroker, testSettings } from "../../redis-harness.ts";
import { Monitor } from "../monitor.ts";
import type { Row } from "../world.ts";

export const idle: Row = {
  row: "idle",
  name: "an idle worker sends at most three commands a second",
  why: "a thousand idle workers must not keep Redis busy",
  async run(world) {
    const server = await world.server();
    const worker = world.start("worker", { url: server.url, queue: "idle" });
    await eventually("it is ready", 15_000, () => world.history.read().of("ready").length === 1);
    const monitor = await Monitor.start(server);
    world.defer(() => monitor.stop());
    const seconds = 10;
    await pause(seconds * 1000);
    expect(monitor.seen.length).toBeGreaterThan(0);
    expect(monitor.seen.length / seconds).toBeLessThanOrEqual(3);
    await worker.stop();
  },
};

const workers = 50;
const keys = queueKeys("main", "");

export const noHerd: Row = {
  row: "herd",
  name: "fifty idle workers, one message: at most two of them wake up",
  why: "all of them would ask for one message",
  async run(world) {
    const server = await world.server();
    const settings = { ...testSettings(server.url, ""), leaseMs: 60_000 };
    const brokers = Array.from({ length: workers }, () => createBroker(settings));
    world.defer(() => Promise.all(brokers.map((broker) => broker.close())));
    const delivered: string[] = [];
    for (const broker of brokers) {
      await broker.open({ logger: silentLogger });
      await broker.declare([{ name: "main", priorities: false }]);
      await broker.consume(["main"], { prefetch: 10 }, (delivery) => {
        if ("id" in delivery.message) delivered.push(delivery.message.id);
        void delivery.settle({ kind: "ack" });
      });
    }
    await eventually("all of them wait", 10_000, async () =>
      String(await server.command("info", "clients")).includes(`blocked_clients:${workers}\r\n`),
    );
    const monitor = await Monitor.start(server);
    world.defer(() => monitor.stop());
    for (let number = 0; number < 5; number += 1) {
      monitor.seen.length = 0;
      await brokers[0]?.publish([message(`m${number}`, { queue: "main" })]);
      await eventually("it is delivered", 5000, () => delivered.length === number + 1);
      // Whoever else woke up would ask by now.
      await pause(200);
      const claims = monitor.seen.filter(({ words }) => words[3] === keys.lease && words[4] === keys.meta);
      const woken = new Set(claims.map(({ client }) => client));
      expect(woken.size).toBeGreaterThan(0);
      expect(woken.size).toBeLessThanOrEqual(2);
    }
  },
};
