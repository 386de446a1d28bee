import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { silentLogger, type Consumer } from "@q/core/broker";
import { expect, onTestFinished, test } from "vitest";
import type { RedisBroker } from "../src/redis-broker.ts";
import { startServer } from "./connecting.ts";
import { createBroker, testSettings } from "./redis-harness.ts";

async function stopped(broker: RedisBroker): Promise<WeakRef<Consumer>> {
  const consumer = await broker.consume(["default"], { prefetch: 1 }, () => undefined);
  await consumer.stop();
  return new WeakRef(consumer);
}

test("a consumer that has stopped is forgotten when there are others", async () => {
  setFlagsFromString("--expose_gc");
  const collect = runInNewContext("gc") as () => void; // there is one from now on
  const server = await startServer();
  const broker = createBroker(testSettings(server.url, ""));
  onTestFinished(() => broker.close());
  await broker.open({ logger: silentLogger });
  const first = await stopped(broker);
  const isThere = async (): Promise<boolean> => {
    await stopped(broker);
    collect();
    return first.deref() !== undefined;
  };
  await expect.poll(isThere, { timeout: 10_000 }).toBe(false);
});
