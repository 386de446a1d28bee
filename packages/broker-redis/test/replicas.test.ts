import { silentLogger, type Delivery } from "@q/core/broker";
import { RedisServer } from "@q/test-servers";
import { expect, onTestFinished, test } from "vitest";
import type { RedisBroker } from "../src/redis-broker.ts";
import { startServer } from "./connecting.ts";
import { message, messages } from "./messages.ts";
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

async function openSender(server: RedisServer): Promise<RedisBroker> {
  const broker = createBroker({ ...testSettings(server.url, ""), replicas: 1, timeoutMs: 1000 });
  onTestFinished(() => broker.close());
  await broker.open({ logger: silentLogger });
  return broker;
}

const mayBeStored = { code: "Q1102", name: "PublishUnknown" };

test("a send whose replicas nobody may ask for may be stored", async () => {
  const server = await startServer({ acl: ["user default on nopass ~* &* +@all -wait"] });
  const sender = await openSender(server);
  const refusal: unknown = await sender.publish([message("a")]).catch((error: unknown) => error);
  expect(refusal).toMatchObject({ ...mayBeStored, message: expect.stringContaining("may not do this") as string });
  expect(await server.command("llen", "default")).toBe(1);
});

test("a send whose wait for replicas the server ends may be stored", async () => {
  const server = await startServer();
  const sender = await openSender(server);
  let refusal: unknown;
  void sender.publish([message("a")]).catch((error: unknown) => (refusal = error));
  const endWait = async (): Promise<unknown> => {
    const waiting = /^id=(\d+) .* flags=b .* cmd=wait /m.exec(String(await server.command("client", "list")))?.[1];
    if (waiting !== undefined) await server.command("client", "unblock", waiting, "error");
    return refusal;
  };
  // As often as it is tried.
  await expect.poll(endWait, { timeout: 10_000, interval: 1 }).toBeDefined();
  expect(refusal).toMatchObject(mayBeStored);
  expect(await server.command("llen", "default")).toBe(1);
});
