import { silentLogger, type Delivery } from "@q/core/broker";
import { RedisServer } from "@q/test-servers";
import { expect, onTestFinished, test } from "vitest";
import { messages } from "./messages.ts";
import { createBroker, testSettings } from "./redis-harness.ts";

test("a send that waits for a replica which is not there fails, and keeps nothing else waiting", async () => {
  const server = await RedisServer.start();
  onTestFinished(() => server.stop());
  const broker = createBroker({ ...testSettings(server.url, ""), replicas: 1, timeoutMs: 3000 });
  const sender = createBroker(testSettings(server.url, ""));
  onTestFinished(async () => {
    await Promise.all([broker.close(), sender.close()]);
  });
  for (const one of [broker, sender]) {
    await one.open({ logger: silentLogger });
    await one.declare([{ name: "waiting", priorities: false }]);
  }
  const [, ...others] = messages(21, { queue: "waiting" });
  let refusal: unknown;
  const send = broker.publish(messages(1, { queue: "waiting" })).catch((error: unknown) => {
    refusal = error;
  });
  await sender.publish(others);
  let settled = 0;
  await new Promise<void>((resolve) => {
    const onDelivery = (delivery: Delivery): void => {
      void delivery.settle({ kind: "ack" }).then(() => (settled += 1) === 21 && resolve());
    };
    void broker.consume(["waiting"], { prefetch: 5 }, onDelivery);
  });
  expect(refusal).toBeUndefined();
  await send;
  expect(refusal).toMatchObject({ code: "Q1102" });
});
