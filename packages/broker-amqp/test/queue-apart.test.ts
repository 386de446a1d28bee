import type { Delivery } from "@q/core/broker";
import type { RabbitServer } from "@q/test-servers";
import { expect, test } from "vitest";
import { fenceQueue } from "../src/names.ts";
import { eventually, idsOf, message, opened, ownServer, proxied } from "./opened.ts";

const server = ownServer();

/** Gives a quorum queue a second member that is nowhere: with one of two it has no majority any more. */
async function loseMajority({ admin }: RabbitServer, queue: string): Promise<void> {
  await admin.evaluate(
    `{ok, Q} = rabbit_amqqueue:lookup(rabbit_misc:r(<<"/">>, queue, <<"${queue}">>)), {Name, Node} = amqqueue:get_pid(Q), ` +
      `catch ra:add_member({Name, Node}, {Name, 'nowhere@localhost'}, 100)`,
  );
}

/** Consumes queues; what comes is in the list, and stays in hand. */
async function held(queues: readonly string[], url: string, timeout: "2s" | "10s" = "10s") {
  const broker = await opened({ url, timeout });
  await broker.declare(queues.map((name) => ({ name, priorities: false })));
  const came: Delivery[] = [];
  const consumer = await broker.consume(queues, { prefetch: 5 }, (delivery) => void came.push(delivery));
  return { broker, consumer, came };
}

test("a queue that this user may not read any more keeps no other from running, and is consumed when it may", async () => {
  const { admin } = server();
  const all = { configure: ".*", write: ".*", read: ".*" };
  await admin.addUser({ name: "reader", password: "secret", vhost: "/", ...all });
  const { proxy, url } = await proxied(server());
  const producer = await opened({ url: server().url });
  const { came } = await held(["shut", "open"], url.replace("guest:guest", "reader:secret"));
  await admin.command("set_permissions", "reader", ".*", ".*", "^(?!shut$).*");
  const { accepted } = proxy.counters;
  proxy.cut();
  await eventually(() => expect(proxy.counters.accepted).toBe(accepted + 2));
  await producer.publish([message("shut", "a"), message("open", "b")]);
  await eventually(() => expect(idsOf(came)).toEqual(["b"]));
  await admin.command("set_permissions", "reader", ".*", ".*", ".*");
  await eventually(() => expect(idsOf(came)).toEqual(["b", "a"]));
  expect(came.filter(({ lost }) => lost.aborted)).toEqual([]);
  expect(proxy.counters.accepted).toBe(accepted + 2);
});

test("a queue without a majority interrupts nothing of the others, neither after an outage nor at the start", async () => {
  const { proxy, url } = await proxied(server());
  const producer = await opened({ url: server().url });
  const first = await held(["fine", "stuck"], url, "2s");
  await loseMajority(server(), "stuck");
  proxy.cut();
  const second = await held(["stuck", "fine"], url, "2s");
  await producer.publish(Array.from({ length: 15 }, (_, index) => message("fine", `m-${index}`)));
  await eventually(() => expect([first, second].map(({ came }) => came.length)).toEqual([5, 5]));
  // Each tries the queue again and again.
  const { accepted } = proxy.counters;
  await eventually(() => expect(proxy.counters.accepted).toBeGreaterThan(accepted + 2));
  // As a worker does that was paused.
  await first.consumer.stop();
  await first.broker.consume(["stuck", "fine"], { prefetch: 5 }, (delivery) => void first.came.push(delivery));
  await eventually(() => expect(first.came.length + second.came.length).toBeGreaterThan(10));
  expect([...first.came, ...second.came].filter(({ lost }) => lost.aborted)).toEqual([]);
}, 60_000);

test("messages to a queue without a majority keep no others from being sent", async () => {
  const { proxy, url } = await proxied(server());
  const broker = await opened({ url, timeout: "2s" });
  await broker.declare(["free", "full"].map((name) => ({ name, priorities: false })));
  await broker.publish([message("free", "first")]);
  await loseMajority(server(), "full");
  const { accepted } = proxy.counters;
  // More than RabbitMQ takes in before it reads nothing more.
  const refused = Array.from({ length: 100 }, (_, index) => broker.publish([message("full", `f-${index}`)]));
  const ends = Promise.all(refused.map((publishing) => expect(publishing).rejects.toMatchObject({ code: "Q1102" })));
  await eventually(() => expect(proxy.counters.accepted).toBe(accepted + 1));
  await broker.publish([message("free", "second"), message("free", "third")]);
  // Together with one that is stuck.
  const mixed = broker.publish([message("full", "f"), message("free", "fourth")]);
  await expect(mixed).rejects.toMatchObject({ name: "PublishFailed" });
  await ends;
  expect(proxy.counters.accepted).toBe(accepted + 1);
  expect(await broker.inspector?.stats("free")).toMatchObject({ ready: 4 });
});

test("marks that cannot be read interrupt nothing", async () => {
  const { proxy, url } = await proxied(server());
  const producer = await opened({ url: server().url });
  const { came } = await held(["marked", "other"], url, "2s");
  await loseMajority(server(), "q.marks.marked");
  await producer.publish([message("marked", "a")]);
  await eventually(() => expect(idsOf(came)).toEqual(["a"]));
  proxy.cut();
  await eventually(() => expect(came[0]?.lost.aborted).toBe(true));
  await producer.publish([message("other", "b")]);
  await eventually(() => expect(idsOf(came)).toEqual(expect.arrayContaining(["b"])));
  // Comes back, and is looked for among the marks.
  await eventually(() => expect(idsOf(came).filter((id) => id === "a")).toHaveLength(2));
  expect(came.filter(({ lost }) => lost.aborted)).toHaveLength(1);
});

test("a lease whose number cannot be read is not given, and interrupts nothing", async () => {
  const { broker, came } = await held(["beside"], server().url, "2s");
  const lease = await broker.leases?.acquire("once", 1000);
  await lease?.release();
  await loseMajority(server(), fenceQueue("once"));
  await broker.publish([message("beside", "a")]);
  // The lock is free again each time.
  for (const _ of [1, 2])
    await expect(broker.leases?.acquire("once", 1000)).rejects.toMatchObject({ name: "ConnectionLost" });
  await eventually(() => expect(idsOf(came)).toEqual(["a"]));
  expect(came.filter(({ lost }) => lost.aborted)).toEqual([]);
});

test("a queue that is not there ends what its consumer had begun", async () => {
  const broker = await opened({ url: server().url }, "there");
  const came: Delivery[] = [];
  const consuming = broker.consume(["there", "missing"], { prefetch: 5 }, (delivery) => void came.push(delivery));
  await expect(consuming).rejects.toMatchObject({ code: "Q1024" });
  await broker.publish([message("there", "a")]);
  expect(await broker.inspector?.stats("there")).toMatchObject({ ready: 1, consumers: 0 });
  expect(came).toEqual([]);
});
