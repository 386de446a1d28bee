import { silentLogger, type Delivery, type OutgoingMessage } from "@q/core/broker";
import { RedisServer } from "@q/test-servers";
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { Connection } from "../src/connection.ts";
import type { RedisBroker } from "../src/redis-broker.ts";
import { setUser } from "./acl-page.ts";
import { connect, startServer } from "./connecting.ts";
import { message, take } from "./messages.ts";
import { createBroker, testSettings } from "./redis-harness.ts";

type User = "q-producer" | "q-cron" | "q-worker" | "q-operator";

const queue = "emails";
let server: RedisServer;

beforeAll(async () => {
  server = await RedisServer.start({ acl: ["user default off"] });
  for (const user of ["q-producer", "q-cron", "q-worker", "q-operator"]) await server.command("ACL", ...setUser(user));
});
afterAll(() => server.stop());
afterEach(async () => {
  await server.command("FLUSHALL");
  await server.command("ACL", "LOG", "RESET");
});

const urlOf = (user: User): string => `redis://${user}:secret@127.0.0.1:${server.port}`;

async function open(user: User, { priorities = false, url = urlOf(user) } = {}): Promise<RedisBroker> {
  const broker = createBroker(testSettings(url, ""));
  onTestFinished(() => broker.close());
  await broker.open({ logger: silentLogger });
  await broker.declare([{ name: queue, priorities }]);
  return broker;
}

/** What Redis has refused, also what nobody was told of. */
async function denials(): Promise<unknown> {
  return server.command("ACL", "LOG");
}

const mail = (label: string, changes: Partial<OutgoingMessage> = {}): OutgoingMessage =>
  message(label, { queue, ...changes });

async function settleAll(deliveries: readonly Delivery[], ...outcomes: Parameters<Delivery["settle"]>): Promise<void> {
  await Promise.all(deliveries.map((delivery) => delivery.settle(...outcomes)));
}

describe("a producer", () => {
  test("sends at once, later, by priority and once", async () => {
    const producer = await open("q-producer", { priorities: true });
    await producer.publish([mail("a"), mail("b", { delayMs: 60_000 }), mail("c", { priority: 9 })]);
    // An app names the time as well.
    const headers = { id: "e", task: "test", eta: "2999-01-01T00:00:00.000000+00:00" };
    await producer.publish([mail("e", { delayMs: 60_000, headers })]);
    expect(await producer.once.publishOnce(mail("d"), "key", 1000)).toBe("published");
    expect(await producer.once.publishOnce(mail("d"), "key", 1000)).toBe("duplicate");
    expect(await denials()).toEqual([]);
  });

  test("may do nothing else", async () => {
    const producer = await open("q-producer");
    await producer.publish([mail("a")]);
    const connection = await connect({ url: urlOf("q-producer") });
    await refuses(connection, [
      ["rpop", queue],
      ["lrange", queue, 0, -1],
      ["lindex", queue, 0],
      ["set", queue, "x"],
      ["del", queue],
      ["hgetall", `q:{${queue}}:dead`],
      ["blmove", queue, "elsewhere", "LEFT", "LEFT", 1],
      ["eval", `return redis.call('RPOP', KEYS[1])`, 1, queue],
      ["publish", "q.control.0.main", "{}"],
      ...foreign,
    ]);
    await expect(producer.publish([message("a", { queue: "other" })])).rejects.toMatchObject({ code: "Q1018" });
    await expect(producer.consume([queue], { prefetch: 1 }, () => undefined)).rejects.toMatchObject({ code: "Q1018" });
    expect(await server.command("LLEN", queue)).toBe(1);
  });
});

describe("a cron process", () => {
  test("sends the ticks of schedules, and keeps entries of its own, beside queues that are not its own", async () => {
    const { schedules } = await open("q-cron", { priorities: true });
    await server.command("SADD", "q:queues", "other");
    await schedules.begin({ name: "nightly", at: 1000, queue });
    const tick = { name: "nightly", at: 2000, queue, message: mail("tick", { priority: 9 }), isStored: true };
    expect(await schedules.fire(tick)).toBe("gone");
    await schedules.put("nightly", { every: "1s" });
    expect(await schedules.fire(tick)).toBe("fired");
    await schedules.setPaused("nightly", true);
    expect(await schedules.list()).toEqual([{ name: "nightly", lastTick: 2000, paused: true, entry: { every: "1s" } }]);
    await schedules.setPaused("nightly", false);
    expect(await schedules.remove("nightly")).toBe(true);
    expect(await schedules.now()).toBeGreaterThan(0);
    // What it was refused at the other queue is not its business.
    const refused = (await denials()) as readonly (readonly unknown[])[];
    expect(refused.filter((entry) => !entry.includes("q:{other}:ticks"))).toEqual([]);
  });

  test("may do nothing else", async () => {
    const connection = await connect({ url: urlOf("q-cron") });
    await refuses(connection, [
      ["rpop", queue],
      ["lrange", queue, 0, -1],
      ["hset", `q:{${queue}}:meta`, "paused", 1],
      ["hgetall", `q:{${queue}}:dead`],
      ["hdel", `q:{${queue}}:held:c`, "1:0"],
      ...foreign,
    ]);
    expect(await connection.call("llen", queue)).toBe(0);
  });
});

describe("a worker", () => {
  test("takes, retries, gives back, buries and acknowledges, by priority", async () => {
    const [producer, worker] = [
      await open("q-producer", { priorities: true }),
      await open("q-worker", { priorities: true }),
    ];
    await producer.publish(["a", "b", "c", "d"].map((label, priority) => mail(label, { priority: priority * 3 })));
    const [a, b, c, d] = await take(worker, 4, queue);
    await a?.settle({ kind: "requeue", delayMs: 30 });
    await b?.settle({ kind: "release" });
    await c?.settle({ kind: "bury", reason: { code: "failed", message: "gave up" } });
    await d?.settle({ kind: "ack" });
    await settleAll(await take(worker, 2, queue), { kind: "ack" });
    await worker.publish([mail("sent by a task")]);
    await settleAll(await take(worker, 1, queue), { kind: "ack" });
    await worker.close();
    expect(await denials()).toEqual([]);
  });

  test("is woken when a message comes", async () => {
    const [producer, worker] = [await open("q-producer"), await open("q-worker")];
    const taken = take(worker, 1, queue);
    // The connection that waits for the list.
    await expect.poll(async () => String(await server.command("CLIENT", "LIST"))).toContain("cmd=blmove");
    await producer.publish([mail("a")]);
    await settleAll(await taken, { kind: "ack" });
    expect(await denials()).toEqual([]);
  });

  test("takes over what a dead one held, also a message that kills", async () => {
    const [first, second, third] = [await open("q-worker"), await open("q-worker"), await open("q-worker")];
    await first.publish([mail("a")]);
    await take(first, 1, queue);
    first.abandon();
    const [again] = await take(second, 1, queue);
    expect(again?.crashes).toBe(1);
    await again?.start();
    second.abandon();
    const [last] = await take(third, 1, queue);
    expect(last?.crashes).toBe(2);
    await last?.settle({ kind: "ack" });
    expect(await denials()).toEqual([]);
  });

  test("hears remote commands and holds leases", async () => {
    const [one, other] = [await open("q-worker"), await open("q-worker")];
    const heard: unknown[] = [];
    const subscription = await one.control.subscribe("main", (payload) => void heard.push(payload));
    await other.control.broadcast("main", { stop: true });
    await expect.poll(() => heard).toEqual([{ stop: true }]);
    await subscription.close();
    const lease = await one.leases.acquire("cron", 300);
    expect(await other.leases.acquire("cron", 300)).toBe(null);
    await lease?.release();
    expect(await other.leases.acquire("cron", 300)).not.toBe(null);
    expect(await denials()).toEqual([]);
  });

  test("counts what is in its queue", async () => {
    const worker = await open("q-worker", { priorities: true });
    await worker.publish([mail("a"), mail("b", { delayMs: 60_000 })]);
    await take(worker, 1, queue);
    await worker.publish([mail("c")]);
    expect(await worker.inspector.stats(queue)).toMatchObject({ ready: 1, delayed: 1, inFlight: 1 });
    expect(await denials()).toEqual([]);
  });

  test("may do nothing else", async () => {
    const worker = await open("q-worker");
    const connection = await connect({ url: urlOf("q-worker") });
    await refuses(connection, [["lrange", queue, 0, -1], ["unlink", queue], ["smembers", "q:queues"], ...foreign]);
    await expect(worker.consume(["other"], { prefetch: 1 }, () => undefined)).rejects.toMatchObject({ code: "Q1018" });
    await expect(worker.inspector.purge(queue)).rejects.toMatchObject({ code: "Q1018" });
  });
});

describe("an operator", () => {
  test("looks into a queue and changes it", async () => {
    const { inspector, schedules, ...broker } = await opened();
    expect(await inspector.queues()).toEqual([queue]);
    expect(await inspector.stats(queue)).toMatchObject({ ready: 1, delayed: 1, inFlight: 1, dead: 2 });
    for (const state of ["ready", "delayed", "in-flight"] as const)
      expect((await inspector.peek?.(queue, state, { limit: 10 }))?.items).toHaveLength(1);
    const { items } = await inspector.deadLetters(queue, { limit: 10 });
    const [one, other] = items.map(({ entryId }) => entryId);
    expect(await inspector.redrive(queue, [{ entryId: one ?? "" }])).toBe(1);
    expect(await inspector.drop(queue, [other ?? ""])).toBe(1);
    await schedules.setPaused("nightly", true);
    expect(await schedules.list()).toHaveLength(1);
    expect(await schedules.remove("nightly")).toBe(true);
    await inspector.pause(queue);
    await inspector.resume(queue);
    expect(await inspector.purge(queue)).toBe(3);
    await broker.close();
    expect(await denials()).toEqual([]);
  });

  test("may do nothing else", async () => {
    const connection = await connect({ url: urlOf("q-operator") });
    await refuses(connection, foreign);
    expect(await connection.call("llen", queue)).toBe(0);
  });

  /** With a message in each place. */
  async function opened(): Promise<Pick<RedisBroker, "inspector" | "schedules" | "close">> {
    const [worker, operator] = [await open("q-worker"), await open("q-operator")];
    await worker.publish([mail("dead 1"), mail("dead 2")]);
    await settleAll(await take(worker, 2, queue), { kind: "bury", reason: { code: "failed", message: "gave up" } });
    await worker.publish([mail("in flight")]);
    await take(worker, 1, queue);
    await worker.publish([mail("ready"), mail("delayed", { delayMs: 60_000 })]);
    return { inspector: operator.inspector, schedules: operator.schedules, close: () => operator.close() };
  }
});

test.each(["hset", "hincrby", "lpush", "rpush", "zadd"])("a worker without +%s takes nothing", async (command) => {
  await server.command("ACL", ...setUser("q-worker"), `-${command}`);
  onTestFinished(async () => void (await server.command("ACL", ...setUser("q-worker"))));
  const producer = await open("q-producer");
  await producer.publish([mail("a"), mail("b", { delayMs: 1 })]);
  const worker = createBroker(testSettings(urlOf("q-worker"), ""));
  onTestFinished(() => worker.close());
  await worker.open({ logger: silentLogger });
  await expect(worker.consume([queue], { prefetch: 2 }, () => undefined)).rejects.toMatchObject({ code: "Q1018" });
  const operator = await open("q-operator");
  expect(await operator.inspector.stats(queue)).toMatchObject({ ready: 2, inFlight: 0, consumers: 0 });
  expect(await server.command("KEYS", "*trial*")).toEqual([]);
});

test.each<User>(["q-producer", "q-worker"])("%s may wait for replicas", async (user) => {
  const broker = createBroker({ ...testSettings(urlOf(user), ""), replicas: 1, timeoutMs: 500 });
  onTestFinished(() => broker.close());
  await broker.open({ logger: silentLogger });
  await expect(broker.publish([mail("a")])).rejects.toThrow("0 of 1 replicas");
  expect(await denials()).toEqual([]);
});

test("in a cluster each of them needs a few commands more", async () => {
  const args = ["--cluster-enabled", "yes", "--cluster-announce-ip", "127.0.0.1"];
  const node = await startServer({ args, acl: ["user default off"] });
  await node.command("CLUSTER", "ADDSLOTSRANGE", 0, 16_383);
  await expect.poll(() => node.command("CLUSTER", "INFO"), { timeout: 10_000 }).toContain("cluster_state:ok");
  const more = ["+cluster|slots", "+cluster|info", "+asking", "+readwrite", `~{${queue}}\u0006\u0016*`];
  for (const user of ["q-producer", "q-worker"]) await node.command("ACL", ...setUser(user), ...more);
  const brokerOf = (user: User): Promise<RedisBroker> =>
    open(user, { priorities: true, url: `redis+cluster://${user}:secret@127.0.0.1:${node.port}` });
  const [producer, worker] = [await brokerOf("q-producer"), await brokerOf("q-worker")];
  await producer.publish([mail("a"), mail("b", { priority: 9 })]);
  await settleAll(await take(worker, 2, queue), { kind: "ack" });
  await worker.close();
  expect(await node.command("ACL", "LOG")).toEqual([]);
});

/** What none of them may. */
const foreign: readonly (readonly [string, ...(string | number)[]])[] = [
  ["lpush", "other", "x"],
  ["hget", "q:{other}:meta", "paused"],
  ["flushall"],
  ["flushdb"],
  ["keys", "*"],
  ["scan", 0],
  ["config", "get", "*"],
  ["script", "flush"],
  ["acl", "list"],
  ["client", "kill", "type", "normal"],
  ["shutdown"],
  ["subscribe", "elsewhere"],
];

async function refuses(
  connection: Connection,
  commands: readonly (readonly [string, ...(string | number)[]])[],
): Promise<void> {
  for (const [name, ...args] of commands) {
    await expect(connection.call(name, ...args), `${name} ${args.join(" ")}`).rejects.toMatchObject({ code: "Q1018" });
  }
}
