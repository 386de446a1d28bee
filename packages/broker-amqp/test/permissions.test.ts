import { readFileSync } from "node:fs";
import { join } from "node:path";
import { silentLogger, type Broker } from "@q/core/broker";
import { isInstalled, RabbitAdmin } from "@q/test-servers";
import { beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { amqp } from "../src/index.ts";
import { openChannel } from "./channel.ts";
import { take } from "./deliveries.ts";
import { message } from "./message.ts";
import { commands } from "./permissions-page.ts";
import { sharedNode } from "./shared-node.ts";

type User = "q-producer" | "q-cron" | "q-worker" | "q-operator" | "q-undelayed" | "q-careless";

const installed = isInstalled("rabbitmq-server");
const queue = "emails";

beforeAll(async () => {
  if (!installed) return;
  const admin = new RabbitAdmin(sharedNode());
  for (const command of commands()) await admin.command(...command);
});

beforeEach(({ skip }) => {
  skip(!installed, "no RabbitMQ here: apt-get install rabbitmq-server");
});

const urlOf = (user: User): string => `amqp://${user}:secret@127.0.0.1:${sharedNode().port}/app`;

/** Of a user, with the queue declared. */
async function open(user: User): Promise<Broker> {
  const broker = amqp({ url: urlOf(user) });
  onTestFinished(() => broker.close());
  await broker.open({ logger: silentLogger });
  await broker.declare([{ name: queue, priorities: false }]);
  return broker;
}

/** What RabbitMQ has refused to a user, also what nobody was told of. */
function refusals(user: User): readonly string[] {
  const log = readFileSync(join(sharedNode().dir, "rabbit.log"), "utf8");
  return log
    .split("\n")
    .filter((line) => line.includes("access_refused") || line.includes("refused for user"))
    .filter((line) => line.includes(`'${user}'`));
}

const mail = (id: string, delayMs = 0): ReturnType<typeof message> => message(id, queue, { delayMs });

describe("a worker", () => {
  test("creates its queue, sends, takes, retries, gives back, buries and acknowledges", async () => {
    const worker = await open("q-worker");
    await worker.publish(["a", "b", "c", "d"].map((id) => mail(id)));
    const [a, b, c, d] = await take(worker, 4, queue);
    await a?.settle({ kind: "requeue", delayMs: 30 });
    await b?.settle({ kind: "release" });
    await c?.settle({ kind: "bury", reason: { code: "failed", message: "gave up" } });
    await d?.settle({ kind: "ack" });
    for (const delivery of await take(worker, 2, queue)) await delivery.settle({ kind: "ack" });
    await worker.publish([mail("soon", 100), mail("later", 1000)]);
    for (const delivery of await take(worker, 2, queue)) await delivery.settle({ kind: "ack" });
    expect(refusals("q-worker")).toEqual([]);
  });

  test("takes over what a dead one held", async () => {
    const [first, second] = [await open("q-worker"), await open("q-worker")];
    await first.publish([mail("held")]);
    await take(first, 1, queue);
    await first.close();
    const [again] = await take(second, 1, queue);
    expect(again?.message).toMatchObject({ id: "held" });
    await again?.start();
    await again?.settle({ kind: "ack" });
    expect(refusals("q-worker")).toEqual([]);
  });

  test("hears remote commands and holds leases", async () => {
    const [one, other] = [await open("q-worker"), await open("q-worker")];
    const heard: unknown[] = [];
    const subscription = await one.control?.subscribe("main", (payload) => void heard.push(payload));
    await other.control?.broadcast("main", { stop: true });
    await expect.poll(() => heard).toEqual([{ stop: true }]);
    await subscription?.close();
    const lease = await one.leases?.acquire("cron", 10_000);
    expect(await other.leases?.acquire("cron", 10_000)).toBe(null);
    await lease?.release();
    expect(refusals("q-worker")).toEqual([]);
  });

  test("that may not delay goes on sending, and buries a retry with a delay", async () => {
    const worker = await open("q-worker");
    // Where delayed messages go is there.
    await worker.publish([mail("first", 1000)]);
    await new RabbitAdmin(sharedNode()).addUser({
      name: "q-undelayed",
      password: "secret",
      vhost: "app",
      // A worker's, as they might be without what is for delayed messages.
      configure: `^(${queue}|q\\.(dead|marks)\\.${queue}|q\\.events|amq\\.gen.*)$`,
      write: `^(amq\\.default|${queue}|q\\.events|amq\\.gen.*)$`,
      read: `^(${queue}|q\\.(dead|marks)\\.${queue}|q\\.events|amq\\.gen.*)$`,
    });
    const undelayed = await open("q-undelayed");
    const [first] = await take(undelayed, 1, queue);
    expect(await first?.settle({ kind: "requeue", delayMs: 1000 })).toBe("settled");
    await expect(undelayed.publish([mail("later", 1000)])).rejects.toMatchObject({ code: "Q1018" });
    await undelayed.publish([mail("x")]);
    const [x] = await take(undelayed, 1, queue);
    expect(x?.message).toMatchObject({ id: "x" });
    await x?.settle({ kind: "ack" });
    const { inspector } = await open("q-operator");
    const dead = await inspector?.deadLetters(queue, { limit: 10 });
    expect(dead?.items[0]).toMatchObject({ message: { id: "first" }, reason: { code: "unstorable" } });
  });

  test("that cannot bury a message gives it back, as one that nobody died of", async () => {
    const worker = await open("q-worker");
    const admin = new RabbitAdmin(sharedNode());
    await admin.addUser({
      name: "q-careless",
      password: "secret",
      vhost: "app",
      // A worker's, but for the dead letters.
      configure: `^(${queue}|q\\.marks\\.${queue}|q\\.(events|delay.*|lock\\..*)|celery_delayed_.*|amq\\.gen.*)$`,
      write: `^(amq\\.default|${queue}|q\\.(events|delay.*)|celery_delayed_.*|amq\\.gen.*)$`,
      read: `^(${queue}|q\\.marks\\.${queue}|q\\.(events|delay.*)|celery_delayed_.*|amq\\.gen.*)$`,
    });
    await worker.publish([mail("survivor")]);
    const careless = await open("q-careless");
    const [first] = await take(careless, 1, queue);
    await admin.deleteQueue(`q.dead.${queue}`, "app");
    const burying = first?.settle({ kind: "bury", reason: { code: "failed", message: "gave up" } });
    await expect(burying).rejects.toMatchObject({ code: "Q1105" });
    const [again] = await take(careless, 1, queue);
    expect(again?.message).toMatchObject({ id: "survivor" });
    expect(again?.crashes).toBe(0);
    await again?.settle({ kind: "ack" });
  });

  test("may do nothing else", async () => {
    const worker = await open("q-worker");
    await expect(worker.declare([{ name: "other", priorities: false }])).rejects.toMatchObject({ code: "Q1018" });
    const other = amqp({ url: urlOf("q-worker") });
    onTestFinished(() => other.close());
    await other.open({ logger: silentLogger });
    await expect(other.consume(["other"], { prefetch: 1 }, () => undefined)).rejects.toMatchObject({ code: "Q1018" });
    await refuses("q-worker", "q.paused.emails");
  });
});

describe("a producer", () => {
  test("sends at once and later", async () => {
    const [worker, producer] = [await open("q-worker"), await open("q-producer")];
    await producer.publish([mail("now"), mail("soon", 300), mail("later", 1000)]);
    const taken = await take(worker, 3, queue);
    expect(taken.map(({ message: found }) => ("id" in found ? found.id : "")).toSorted()).toEqual([
      "later",
      "now",
      "soon",
    ]);
    for (const delivery of taken) await delivery.settle({ kind: "ack" });
  });

  test("may do nothing else", async () => {
    await open("q-worker");
    const producer = await open("q-producer");
    await producer.publish([mail("stays")]);
    await expect(producer.consume([queue], { prefetch: 1 }, () => undefined)).rejects.toMatchObject({ code: "Q1018" });
    await expect(producer.inspector?.purge(queue)).rejects.toMatchObject({ code: "Q1018" });
    await expect(producer.inspector?.pause(queue)).rejects.toMatchObject({ code: "Q1018" });
    await expect(producer.control?.broadcast("main", {})).rejects.toMatchObject({ code: "Q1018" });
    await expect(producer.declare([{ name: "other", priorities: false }])).rejects.toMatchObject({ code: "Q1018" });
    await refuses("q-producer", queue);
    const [stays] = await take(await open("q-worker"), 1, queue);
    expect(stays?.message).toMatchObject({ id: "stays" });
    await stays?.settle({ kind: "ack" });
  });
});

describe("a cron process", () => {
  test("sends ticks and looks after the schedules, whoever keeps them", async () => {
    await open("q-worker");
    const [one, other] = [await open("q-cron"), await open("q-cron")];
    for (const [at, { schedules }] of [one, other].entries()) {
      await schedules?.begin({ name: "nightly", at: 1000, queue });
      await schedules?.put(`made ${at}`, { every: "1s" });
      await schedules?.setPaused(`made ${at}`, true);
      const tick = { name: "nightly", at: 2000 + at, queue, message: mail(`tick ${at}`), isStored: false };
      expect(await schedules?.fire(tick)).toBe("fired");
    }
    await one.close();
    expect(await other.schedules?.list()).toMatchObject([
      { name: "made 0", paused: true },
      { name: "made 1", paused: true },
      { name: "nightly", lastTick: 2001 },
    ]);
    const { schedules } = await open("q-operator");
    for (const name of ["made 0", "made 1", "nightly"]) expect(await schedules?.remove(name)).toBe(true);
    // What cannot be read is moved aside by whoever finds it.
    const channel = await openChannel({ defer: onTestFinished }, urlOf("q-operator"));
    channel.sendToQueue("q.schedules", Buffer.from("junk"));
    await channel.waitForConfirms();
    expect(await schedules?.list()).toEqual([]);
    expect((await channel.checkQueue("q.schedules.unreadable")).messageCount).toBe(1);
    for (const delivery of await take(await open("q-worker"), 2, queue)) await delivery.settle({ kind: "ack" });
    // Its own queue aside it is a producer, and these may not declare one that is there.
    expect(refusals("q-cron").filter((line) => !line.includes(`'${queue}'`) && !line.includes("q.dead."))).toEqual([]);
    expect(refusals("q-operator")).toEqual([]);
  });

  test("may do nothing else", async () => {
    await open("q-worker");
    const cron = await open("q-cron");
    await expect(cron.consume([queue], { prefetch: 1 }, () => undefined)).rejects.toMatchObject({ code: "Q1018" });
    await expect(cron.inspector?.purge(queue)).rejects.toMatchObject({ code: "Q1018" });
    await expect(cron.declare([{ name: "other", priorities: false }])).rejects.toMatchObject({ code: "Q1018" });
    await expect(cron.publish([mail("later", 1000)])).rejects.toMatchObject({ code: "Q1018", name: "PublishRejected" });
    await refuses("q-cron", queue);
    const producer = await open("q-producer");
    await expect(producer.schedules?.list()).rejects.toMatchObject({ code: "Q1018" });
    await refuses("q-producer", "q.schedules");
  });
});

describe("an operator", () => {
  test("looks into the queue and its dead letters, sends those back or drops them, pauses, resumes and purges", async () => {
    const [worker, { inspector }] = [await open("q-worker"), await open("q-operator")];
    const old = await inspector?.deadLetters(queue, { limit: 10 });
    await inspector?.drop(
      queue,
      (old?.items ?? []).map(({ entryId }) => entryId),
    );
    await worker.publish([mail("dead 1"), mail("dead 2")]);
    for (const delivery of await take(worker, 2, queue))
      await delivery.settle({ kind: "bury", reason: { code: "failed", message: "gave up" } });
    await inspector?.pause(queue);
    expect(await inspector?.stats(queue)).toMatchObject({ ready: 0, dead: 2, paused: true });
    await inspector?.resume(queue);
    const found = await inspector?.deadLetters(queue, { limit: 10 });
    const [first = "", second = ""] = found?.items.map(({ entryId }) => entryId) ?? [];
    expect(await inspector?.drop(queue, [first])).toBe(1);
    expect(await inspector?.redrive(queue, [{ entryId: second }])).toBe(1);
    expect(await inspector?.purge(queue)).toBe(1);
    expect(refusals("q-operator")).toEqual([]);
  });
});

/** Whatever AMQP can do to a queue, past our own adapter. */
async function refuses(user: User, name: string): Promise<void> {
  const attempts = [
    (channel: Awaited<ReturnType<typeof openChannel>>) => channel.assertQueue(name, { durable: true }),
    (channel: Awaited<ReturnType<typeof openChannel>>) => channel.purgeQueue(name),
    (channel: Awaited<ReturnType<typeof openChannel>>) => channel.deleteQueue(name),
    (channel: Awaited<ReturnType<typeof openChannel>>) => channel.get(name),
    (channel: Awaited<ReturnType<typeof openChannel>>) => channel.consume(name, () => undefined),
    (channel: Awaited<ReturnType<typeof openChannel>>) => channel.bindQueue(name, "amq.fanout", ""),
  ];
  for (const attempt of attempts) {
    const channel = await openChannel({ defer: onTestFinished }, urlOf(user));
    await expect(attempt(channel)).rejects.toThrow(/403|404/);
  }
}
