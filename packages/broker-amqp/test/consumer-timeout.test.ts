import type { ConsumeMessage } from "amqplib";
import { silentLogger, type Delivery } from "@q/core/broker";
import { FakeClock } from "@q/core/testing";
import { expect, onTestFinished, test } from "vitest";
import { AmqpBroker } from "../src/amqp-broker.ts";
import { readOptions } from "../src/options.ts";
import { openChannel } from "./channel.ts";
import { consumed, eventually, idsOf, message, opened, ownServer, proxied } from "./opened.ts";

const consumerTimeoutMs = 8000;
const server = ownServer({ consumerTimeoutMs });

test("messages of many queues that wait for room outlast the consumer_timeout, and nobody seems to have died of them", async () => {
  const { proxy, url } = await proxied(server());
  const broker = await opened({ url, consumerTimeout: `${consumerTimeoutMs}ms` });
  const queues = Array.from({ length: 11 }, (_, index) => `many-${index}`);
  await broker.declare(queues.map((name) => ({ name, priorities: false })));
  await broker.publish(queues.map((queue) => message(queue, queue)));
  const done: Delivery[] = [];
  await broker.consume(queues, { prefetch: 1 }, (delivery) => {
    // A task that takes a second.
    setTimeout(() => {
      done.push(delivery);
      void delivery.settle({ kind: "ack" });
    }, 1000);
  });
  await eventually(() => expect(idsOf(done).toSorted()).toEqual(queues.toSorted()));
  expect(done.filter(({ crashes }) => crashes > 0)).toEqual([]);
  // One to publish, one to consume, and one to read the marks of what came back.
  expect(proxy.counters.accepted).toBe(3);
}, 60_000);

test("what has waited in a worker for a tenth of the consumer_timeout goes to another, and not as a crash", async () => {
  const clock = new FakeClock();
  const busy = new AmqpBroker(readOptions({ url: server().url, consumerTimeout: "50s" }), clock);
  onTestFinished(() => busy.abandon());
  await busy.open({ logger: silentLogger });
  await busy.declare(["running", "waiting"].map((name) => ({ name, priorities: false })));
  const held: Delivery[] = [];
  await busy.consume(["running", "waiting"], { prefetch: 1 }, (delivery) => void held.push(delivery));
  await busy.publish([message("running", "a")]);
  await eventually(() => expect(idsOf(held)).toEqual(["a"]));
  await busy.publish([message("waiting", "b")]);
  await eventually(async () => expect((await busy.inspector.stats("waiting")).ready).toBe(0));

  const other = await openChannel({ defer: onTestFinished }, server().url);
  const came: ConsumeMessage[] = [];
  await other.prefetch(1);
  await other.consume("waiting", (found) => void (found !== null && came.push(found)));
  await clock.advance("5s");
  await eventually(() => expect(came).toHaveLength(1));
  expect(idsOf(held)).toEqual(["a"]);
  busy.abandon();
  other.nackAll();
  await other.close();
  const next = await consumed(await opened({ url: server().url }), "waiting");
  await eventually(() => expect(next.map(({ crashes }) => crashes)).toEqual([0]));
});

test("what a quorum queue has handed out often is stored anew, also when there is no room for it", async () => {
  const busy = await opened({ url: server().url });
  await busy.declare(["full", "worn"].map((name) => ({ name, priorities: false })));
  const other = await openChannel({ defer: onTestFinished }, server().url);
  const came: ConsumeMessage[] = [];
  await other.prefetch(1);
  await other.consume("worn", (found) => {
    if (found === null) return;
    if (came.length === 0 && deliveriesOf(found) < 9) other.reject(found, true);
    else came.push(found);
  });
  await busy.publish([message("worn", "b")]);
  await eventually(() => expect(came).toHaveLength(1));
  const held: Delivery[] = [];
  await busy.consume(["full", "worn"], { prefetch: 1 }, (delivery) => void held.push(delivery));
  await busy.publish([message("full", "a")]);
  await eventually(() => expect(idsOf(held)).toEqual(["a"]));
  // Now it comes to who is full, for whom it is the eleventh time, and has waited for it the longest.
  other.nackAll();
  await eventually(() => expect(came).toHaveLength(2));
  expect(came.map(deliveriesOf)).toEqual([9, 0]);
  expect(idsOf(held)).toEqual(["a"]);
});

function deliveriesOf({ properties }: ConsumeMessage): number {
  return Number(properties.headers?.["x-delivery-count"] ?? 0);
}
