import { silentLogger } from "@q/core/broker";
import { FakeClock } from "@q/core/testing";
import { expect, onTestFinished, test } from "vitest";
import { AmqpBroker } from "../src/amqp-broker.ts";
import { amqp } from "../src/index.ts";
import { readOptions } from "../src/options.ts";
import { eventually, opened, ownServer, proxied } from "./opened.ts";

const server = ownServer();

/** What would end a process of a user. */
function uncaughtErrors(): readonly unknown[] {
  const errors: unknown[] = [];
  const onError = (error: unknown): void => void errors.push(error);
  process.on("uncaughtException", onError);
  onTestFinished(() => void process.off("uncaughtException", onError));
  return errors;
}

test("a connection that is there after its time limit is dropped, and ends no process", async () => {
  const { proxy, url } = await proxied(server());
  const uncaught = uncaughtErrors();
  const clock = new FakeClock();
  const broker = new AmqpBroker(readOptions({ url, timeout: "60s" }), clock);
  proxy.blackhole();
  const opening = broker.open({ logger: silentLogger }).catch((error: unknown) => error);
  await eventually(() => expect(proxy.counters.accepted).toBe(1));
  await clock.advance("60s");
  expect(await opening).toMatchObject({ code: "Q1001" });
  await proxy.restore();
  await eventually(() => expect(proxy.counters.open).toBe(0));
  expect(uncaught).toEqual([]);
});

test("closing does not wait for the broker to open, and leaves no connection behind", async () => {
  const { proxy, url } = await proxied(server());
  // Longer than the test.
  const broker = amqp({ url, timeout: "10m" });
  server().freeze();
  onTestFinished(() => server().thaw());
  const opening = broker.open({ logger: silentLogger }).catch((error: unknown) => error);
  await eventually(() => expect(proxy.counters.accepted).toBe(1));
  await broker.close();
  expect(await opening).toMatchObject({ code: "Q1001" });
  server().thaw();
  await eventually(() => expect(proxy.counters.open).toBe(0));
  await broker.open({ logger: silentLogger });
  expect(broker.connected).toBe(true);
  await broker.close();
});

test("closing does not wait for a connection that is not there yet, and leaves none behind", async () => {
  const { proxy, url } = await proxied(server());
  // Longer than the test.
  const broker = await opened({ url, timeout: "10m" }, "opening");
  server().freeze();
  onTestFinished(() => server().thaw());
  const asked = broker.inspector?.stats("opening").catch((error: unknown) => error);
  await eventually(() => expect(proxy.counters.accepted).toBe(2));
  await broker.close();
  server().thaw();
  await eventually(() => expect(proxy.counters.open).toBe(0));
  expect(await asked).toMatchObject({ code: "Q1001" });
});
