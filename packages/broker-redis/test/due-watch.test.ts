import { silentLogger } from "@q/core/broker";
import { expect, onTestFinished, test } from "vitest";
import type { RedisBroker } from "../src/redis-broker.ts";
import { startServer } from "./connecting.ts";
import { labelOf, message } from "./messages.ts";
import { createBroker, testSettings } from "./redis-harness.ts";

const queues = ["busy", "idle"];

async function openBroker(url: string): Promise<RedisBroker> {
  const broker = createBroker(testSettings(url, ""));
  onTestFinished(() => broker.close());
  await broker.open({ logger: silentLogger });
  await broker.declare(queues.map((name) => ({ name, priorities: false })));
  return broker;
}

test("what is delayed in one queue comes on time although another one never runs dry", async () => {
  const server = await startServer();
  const [worker, sender] = [await openBroker(server.url), await openBroker(server.url)];
  const send = (): Promise<void> => sender.publish([message("another", { queue: "busy" })]);
  let arrived = 0;
  let isOver = false;
  await worker.consume(queues, { prefetch: 1 }, (delivery) => {
    if (labelOf(delivery) === "delayed") isOver = true;
    else arrived += 1;
    // For each that ends there is another one.
    if (!isOver) void send().then(() => delivery.settle({ kind: "ack" }));
  });
  await sender.publish(Array.from({ length: 5 }, () => message("another", { queue: "busy" })));
  await expect.poll(() => arrived).toBeGreaterThan(10);
  await sender.publish([message("delayed", { queue: "idle", delayMs: 1500 })]);
  // Far less than the longest time between two looks at all queues.
  await expect.poll(() => isOver, { timeout: 5000 }).toBe(true);
  expect(Number(await server.command("llen", "busy"))).toBeGreaterThan(0);
});
