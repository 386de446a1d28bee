import { silentLogger, systemClock, type BrokerMessage, type Clock, type Delivery } from "@q/core/broker";
import { expect, onTestFinished, test } from "vitest";
import { AmqpBroker } from "../src/amqp-broker.ts";
import { OpenBroker } from "../src/open-broker.ts";
import { readOptions } from "../src/options.ts";
import { eventually, message, opened, ownServer } from "./opened.ts";

const server = ownServer();

test("what is settled just before closing has its answer, and does not come again", async () => {
  const broker = await opened({ url: server().url }, "closing");
  await broker.publish(Array.from({ length: 50 }, (_, index) => message("closing", `m-${index}`)));
  const held: Delivery[] = [];
  await broker.consume(["closing"], { prefetch: 50 }, (delivery) => void held.push(delivery));
  await eventually(() => expect(held).toHaveLength(50));
  const answers = held.slice(0, 30).map((delivery) => delivery.settle({ kind: "ack" }));
  await broker.close();
  expect(new Set(await Promise.all(answers))).toEqual(new Set(["settled"]));
  const next = await opened({ url: server().url }, "closing");
  expect((await next.inspector?.stats("closing"))?.ready).toBe(20);
});

test("a stopped consumer lets go of its channel when the last of what it held is settled", async () => {
  const broker = await opened({ url: server().url }, "stopped");
  await broker.publish([message("stopped", "a"), message("stopped", "b")]);
  const held: Delivery[] = [];
  const consumer = await broker.consume(["stopped"], { prefetch: 5 }, (delivery) => void held.push(delivery));
  await eventually(() => expect(held).toHaveLength(2));
  await consumer.stop();
  const answers = held.map((delivery) => delivery.settle({ kind: "ack" }));
  expect(await Promise.all(answers)).toEqual(["settled", "settled"]);
  expect(broker.connected).toBe(true);
  expect((await broker.inspector?.stats("stopped"))?.ready).toBe(0);
});

test("a consumer that has stopped is forgotten when the last of what it held is settled", async () => {
  const producer = await opened({ url: server().url }, "forgotten");
  await producer.publish([message("forgotten", "a")]);
  const options = { settings: readOptions({ url: server().url }), clock: systemClock, logger: silentLogger };
  const broker = await OpenBroker.open(options, new AbortController().signal);
  onTestFinished(() => broker.close());
  const held: Delivery[] = [];
  const consumer = await broker.consume(["forgotten"], { prefetch: 5 }, (delivery) => void held.push(delivery));
  await eventually(() => expect(held).toHaveLength(1));
  await consumer.stop();
  expect(broker.consumers.size).toBe(1);
  await held[0]?.settle({ kind: "ack" });
  await eventually(() => expect(broker.consumers.size).toBe(0));
});

/** Time that goes ten times slower: only a server that pauses for a second while it hands out seems to have no more. */
const slowClock: Clock = {
  now: systemClock.now,
  monotonic: () => systemClock.monotonic() / 10,
  setTimer: (delayMs, ...rest) => systemClock.setTimer(delayMs * 10, ...rest),
};

test("nothing that was on its way to a consumer that stops counts as a crash", async () => {
  const [producer, other] = await Promise.all(
    ["producer", "other"].map(() => opened({ url: server().url }, "restarted")),
  );
  const stopping = new AmqpBroker(readOptions({ url: server().url }), slowClock);
  onTestFinished(() => stopping.close());
  await stopping.open({ logger: silentLogger });
  const done = new Map<string, number>();
  const take = (delivery: Delivery): void => {
    if ("id" in delivery.message) done.set(delivery.message.id, delivery.crashes);
    void delivery.settle({ kind: "ack" });
  };
  await other?.consume(["restarted"], { prefetch: 2 }, take);
  const batch = (round: number): BrokerMessage[] =>
    Array.from({ length: 200 }, (_, index) => message("restarted", `${round}-${index}`));
  const rounds = 5;
  for (let round = 0; round < rounds; round += 1) {
    const consumer = await stopping.consume(["restarted"], { prefetch: 10 }, take);
    const sent = producer?.publish(batch(round));
    const before = done.size;
    await eventually(() => expect(done.size).toBeGreaterThan(before + 20));
    await consumer.stop();
    await sent;
  }
  await eventually(() => expect(done.size).toBe(rounds * 200));
  expect([...done].filter(([, crashes]) => crashes > 0)).toEqual([]);
});
