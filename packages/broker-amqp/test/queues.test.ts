import { connect } from "amqplib";
import { hasCode, type BrokerError } from "@q/core/broker";
import { beforeAll, expect, test } from "vitest";
import { consumed, eventually, idsOf, message, opened, ownServer } from "./opened.ts";

const server = ownServer();

beforeAll(async () => {
  const connection = await connect(server().url);
  const channel = await connection.createChannel();
  await channel.assertQueue("celery-plain", { durable: true });
  await channel.assertQueue("celery-priorities", { durable: true, arguments: { "x-max-priority": 10 } });
  await channel.assertQueue("expiring", { durable: true, arguments: { "x-message-ttl": 60_000 } });
  await connection.close();
});

const typeOf = async (name: string): Promise<string | undefined> =>
  (await server().admin.queues()).find((queue) => queue.name === name)?.type;

test("a new queue is a quorum queue, with dead letters beside it; a classic one where it is told so, or has priorities", async () => {
  const broker = await opened({ url: server().url, queues: { told: { type: "classic" } } });
  await broker.declare([
    { name: "plain", priorities: false },
    { name: "told", priorities: false },
    { name: "urgent", priorities: true },
  ]);
  expect(await typeOf("plain")).toBe("quorum");
  expect(await typeOf("q.dead.plain")).toBe("quorum");
  expect(await typeOf("told")).toBe("classic");
  expect(await typeOf("urgent")).toBe("classic");
});

test("a plain queue of somebody else's is used as it is", async () => {
  const broker = await opened({ url: server().url }, "celery-plain");
  await broker.publish([message("celery-plain", "a")]);
  const came = await consumed(broker, "celery-plain");
  await eventually(() => expect(idsOf(came)).toEqual(["a"]));
});

test("a queue with arguments that nobody told of is refused, with its name, the argument and the way out, and left alone", async () => {
  const broker = await opened({ url: server().url });
  for (const [name, argument] of [
    ["celery-priorities", "x-max-priority"],
    ["expiring", "x-message-ttl"],
  ] as const) {
    const error = await broker.declare([{ name, priorities: false }]).then(
      () => undefined,
      (refusal: unknown) => refusal as BrokerError,
    );
    expect(hasCode(error, "Q1004")).toBe(true);
    expect(error?.message).toContain(name);
    expect(error?.message).toContain(argument);
    expect(error?.hint).toContain('shared: "celery"');
  }
  expect(await typeOf("expiring")).toBe("classic");
});

test("a shared queue is used whatever its arguments, and made as Celery makes it", async () => {
  const queues = { "celery-priorities": { shared: "celery" }, fresh: { shared: "celery" } } as const;
  const broker = await opened({ url: server().url, queues }, "celery-priorities");
  await broker.publish([message("celery-priorities", "a")]);
  const came = await consumed(broker, "celery-priorities");
  await eventually(() => expect(idsOf(came)).toEqual(["a"]));
  await broker.declare([{ name: "fresh", priorities: false }]);
  // Exactly so, or Celery's own declaration would end its worker.
  const connection = await connect(server().url);
  const channel = await connection.createChannel();
  await channel.assertQueue("fresh", { durable: true });
  await channel.assertExchange("fresh", "direct", { durable: true });
  await connection.close();
});

test("priorities on a quorum queue are refused", async () => {
  const broker = await opened({ url: server().url, queues: { both: { type: "quorum" } } });
  await expect(broker.declare([{ name: "both", priorities: true }])).rejects.toMatchObject({ code: "Q1004" });
});

test("names of q's own queues, of RabbitMQ's and of Celery's ladder are no names for queues", async () => {
  const broker = await opened({ url: server().url });
  for (const name of ["q.dead.x", "amq.x", "celery_delayed_3", "", "x".repeat(129)])
    await expect(broker.declare([{ name, priorities: false }])).rejects.toMatchObject({ code: "Q1101" });
});

test("what another consumer has rejected lands with a reason among the dead letters", async () => {
  const broker = await opened({ url: server().url, queues: { tossed: { type: "classic" } } }, "tossed");
  await broker.publish([message("tossed", "a")]);
  const connection = await connect(server().url);
  const channel = await connection.createChannel();
  await eventually(async () => {
    const found = await channel.get("tossed");
    expect(found).not.toBe(false);
    if (found !== false) channel.nack(found, false, false);
  });
  // Closed before it, the connection would take the refusal with it.
  await channel.close();
  await connection.close();
  await eventually(async () => {
    const page = await broker.inspector?.deadLetters("tossed", { limit: 10 });
    expect(page?.items.map(({ message: dead, reason }) => ["id" in dead && dead.id, reason.code])).toEqual([
      ["a", "rejected"],
    ]);
  });
});
