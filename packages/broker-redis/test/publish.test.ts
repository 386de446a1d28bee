import { silentLogger, type OutgoingMessage } from "@q/core/broker";
import { RedisServer, TcpProxy } from "@q/test-servers";
import { expect, onTestFinished, test, vi } from "vitest";
import { queueKeys } from "../src/keys.ts";
import type { RedisBroker } from "../src/redis-broker.ts";
import { labelOf, message, take } from "./messages.ts";
import { createBroker, testSettings } from "./redis-harness.ts";

async function behindProxy(): Promise<{ server: RedisServer; proxy: TcpProxy; broker: RedisBroker }> {
  const server = await RedisServer.start();
  onTestFinished(() => server.stop());
  const proxy = await TcpProxy.start(server);
  onTestFinished(() => proxy.stop());
  const broker = createBroker(testSettings(`redis://127.0.0.1:${proxy.port}/0`, ""));
  onTestFinished(() => broker.close());
  await broker.open({ logger: silentLogger });
  await broker.declare([{ name: "default", priorities: false }]);
  // From now on Redis has the script, and a call is one command.
  await broker.publish([message("first")]);
  return { server, proxy, broker };
}

test("calls under way at the same time whose answers all get lost are stored once each", async () => {
  const { server, proxy, broker } = await behindProxy();
  const names = ["a", "b", "c", "d", "e"];
  const calls = names.map((call) => [message(`${call}1`), message(`${call}2`)]);
  proxy.dropReplies();
  const publishing = Promise.all(calls.map((call) => broker.publish(call)));
  // Two are under way; the others wait for their answers.
  await vi.waitFor(async () => expect(await server.command("llen", "default")).toBe(5), 5000);
  await proxy.restore();
  await publishing;
  const stored = (await take(broker, 11)).map(labelOf);
  // Calls that are under way at the same time have no order among them, what one of them stores has.
  expect(stored.toSorted()).toEqual(["a1", "a2", "b1", "b2", "c1", "c2", "d1", "d2", "e1", "e2", "first"]);
  for (const call of names) expect(stored.indexOf(`${call}2`)).toBe(stored.indexOf(`${call}1`) + 1);
  expect(await broker.inspector.stats("default")).toMatchObject({ ready: 0, inFlight: 11 });
});

test("what is sent once is stored once although its answer is lost and its key runs out before it is sent again", async () => {
  const { server, proxy, broker } = await behindProxy();
  const keys = queueKeys("default", "");
  await broker.once.publishOnce(message("a"), "loads the script", 1);
  proxy.dropReplies();
  const sending = broker.once.publishOnce(message("b"), "key", 1);
  await vi.waitFor(async () => expect(await server.command("llen", "default")).toBe(3), 5000);
  await vi.waitFor(async () => expect(await server.command("keys", keys.once("*"))).toEqual([]), 5000);
  await proxy.restore();
  expect(await sending).toBe("published");
  expect((await take(broker, 3)).map(labelOf)).toEqual(["first", "a", "b"]);
  expect(await broker.inspector.stats("default")).toMatchObject({ ready: 0, inFlight: 3 });
});

/** With a label of its own each, so long that a call to Redis has few of them. */
function largeMessages(lengths: readonly number[]): OutgoingMessage[] {
  return lengths.map((length, index) => message(`${index}`, { body: `${index}`.padEnd(length, "ü") }));
}

test("large messages go out in several calls, and are stored whole and in order", async () => {
  const { server, broker } = await behindProxy();
  const sent = largeMessages(Array.from({ length: 31 }, (_, index) => (index === 15 ? 500_000 : 60_000)));
  await broker.publish(sent);
  const [, ...stored] = await take(broker, 32);
  expect(stored.map(labelOf)).toEqual(sent.map(({ body }) => body));
  const stats = String(await server.command("INFO", "commandstats"));
  // No call has more than 400,000 characters, unless of one message.
  expect(Number(/cmdstat_lpush:calls=(\d+)/.exec(stats)?.[1])).toBeGreaterThan(5);
});

test("a call that takes several of Redis fails after the time of one when Redis is away", async () => {
  const { proxy, broker } = await behindProxy();
  proxy.refuse();
  proxy.cut();
  await expect.poll(() => broker.connected).toBe(false);
  const startedAt = performance.now();
  const sending = broker.publish(largeMessages(Array.from({ length: 10 }, () => 300_000)));
  await expect(sending).rejects.toMatchObject({ code: "Q1001" });
  // The time of one is 3 s.
  expect(performance.now() - startedAt).toBeLessThan(10_000);
  await proxy.restore();
  await broker.publish([message("later")]);
  expect((await take(broker, 2)).map(labelOf)).toEqual(["first", "later"]);
});

test("what a call has sent for one queue waits until what is before it has an answer", async () => {
  const { server, proxy, broker } = await behindProxy();
  proxy.dropReplies();
  const sent = largeMessages(Array.from({ length: 6 }, () => 160_000));
  const publishing = broker.publish(sent);
  await vi.waitFor(async () => expect(await server.command("llen", "default")).toBe(3), 5000);
  // An answer was lost, so all that was written before it has been carried out.
  await vi.waitFor(() => expect(proxy.counters.silenced).toBe(1), 5000);
  expect(await server.command("llen", "default")).toBe(3);
  await proxy.restore();
  await publishing;
  const [, ...stored] = await take(broker, 7);
  expect(stored.map(labelOf)).toEqual(sent.map(({ body }) => body));
});
