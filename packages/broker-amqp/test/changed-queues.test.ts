import type { Delivery } from "@q/core/broker";
import { expect, onTestFinished, test } from "vitest";
import { openChannel } from "./channel.ts";
import { eventually, idsOf, message, opened, ownServer, proxied } from "./opened.ts";

const server = ownServer();

test("a queue that comes back in another shape keeps no other from being consumed, and is consumed when it is right", async () => {
  const { proxy, url } = await proxied(server());
  const [broker, producer] = [await opened({ url }), await opened({ url: server().url })];
  const queues = ["changed", "other"];
  for (const one of [broker, producer]) await one.declare(queues.map((name) => ({ name, priorities: false })));
  const came: Delivery[] = [];
  const consumer = await broker.consume(queues, { prefetch: 5 }, (delivery) => {
    came.push(delivery);
    void delivery.settle({ kind: "ack" });
  });
  const channel = await openChannel({ defer: onTestFinished }, server().url);
  proxy.refuse();
  proxy.cut();
  await channel.deleteQueue("changed");
  await channel.assertQueue("changed", { durable: true, arguments: { "x-message-ttl": 60_000 } });
  await proxy.restore();

  await producer.publish([message("other", "a")]);
  await eventually(() => expect(idsOf(came)).toEqual(["a"]));
  // Both of its connections are back.
  await eventually(() => expect(broker.connected).toBe(true));
  const { accepted } = proxy.counters;
  // What subscribes anew leaves it alone too.
  consumer.resize(10);
  await producer.publish([message("other", "b")]);
  await eventually(() => expect(idsOf(came)).toEqual(["a", "b"]));
  expect((await producer.inspector?.stats("changed"))?.consumers).toBe(0);
  await channel.deleteQueue("changed");
  await eventually(() => producer.publish([message("changed", "c")]));
  await eventually(() => expect(idsOf(came)).toEqual(["a", "b", "c"]));
  expect(proxy.counters.accepted).toBe(accepted);
});
