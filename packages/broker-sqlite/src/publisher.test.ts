import { bodyBytes, PublishFailed } from "@q/core/broker";
import { expect, test } from "vitest";
import { message, messages, openBroker, openRaw, take, temporaryFile, wellFormed } from "../test/temporary.ts";
import { loadSqliteDriver, type SqliteDriver, type SqliteStatement } from "./sqlite-driver.ts";

test("a batch of any size is stored whole and in order", async () => {
  const broker = await openBroker(temporaryFile());
  for (const size of [1, 2, 15, 16, 17, 2500]) {
    await broker.publish(messages(size));
    const delivered = await take(broker, size);
    expect(delivered.map((delivery) => wellFormed(delivery).id)).toEqual(messages(size).map(({ id }) => id));
    await Promise.all(delivered.map((delivery) => delivery.settle({ kind: "ack" })));
  }
});

test("messages of one batch that have little in common are stored as they are", async () => {
  const broker = await openBroker(temporaryFile());
  await broker.declare([{ name: "ranked", priorities: true }]);
  const mixed = [
    message("one"),
    message("another", { headers: { task: "other" }, body: Buffer.from("another body") }),
    message("elsewhere", { queue: "ranked" }),
    message("later", { delayMs: 60_000 }),
    message("typed", { properties: { contentType: "application/x-other", contentEncoding: "utf-8" } }),
    message("urgent", { queue: "ranked", priority: 9 }),
    message("urgent too", { queue: "ranked", priority: 9 }),
    message("last", { properties: { contentType: "application/json", contentEncoding: "utf-8", replyTo: "results" } }),
  ];
  await broker.publish(mixed);
  const taken = [...(await take(broker, 4)), ...(await take(broker, 3, "ranked"))];
  const found = taken.map(wellFormed).map((one) => ({ ...one, body: Buffer.from(bodyBytes(one.body)) }));
  const inOrder = ["one", "another", "typed", "last", "urgent", "urgent too", "elsewhere"];
  expect(found).toEqual(inOrder.map((label) => mixed.find(({ id }) => id === label)));
  expect(await broker.inspector.stats("default")).toMatchObject({ ready: 0, delayed: 1 });
});

test("while the file is locked for too long a batch is rejected, and nothing of it is stored", async () => {
  const path = temporaryFile();
  const broker = await openBroker(path, { settings: { lockTimeout: "50ms" } });
  const raw = await openRaw(path);
  raw.exec("BEGIN IMMEDIATE");
  await expect(broker.publish(messages(2500))).rejects.toMatchObject({ name: "PublishRejected", code: "Q1011" });
  raw.exec("ROLLBACK");
  await broker.publish([message("after")]);
  expect((await broker.inspector.stats("default")).ready).toBe(1);
});

test("a batch of which one part may be stored, and the other is not, tells of both", async () => {
  const real = await loadSqliteDriver();
  /** What the next commits end with. */
  const errors: number[] = [];
  const committing = (statement: SqliteStatement): SqliteStatement => ({
    get: (...parameters) => statement.get(...parameters),
    all: (...parameters) => statement.all(...parameters),
    run: (...parameters) => {
      const errcode = errors.shift();
      if (errcode !== undefined) throw Object.assign(new Error("disk I/O error"), { errcode });
      return statement.run(...parameters);
    },
  });
  const driver: SqliteDriver = {
    name: real.name,
    open: (path) => {
      const database = real.open(path);
      return {
        exec: (sql) => database.exec(sql),
        close: () => database.close(),
        prepare: (sql) => (sql === "COMMIT" ? committing(database.prepare(sql)) : database.prepare(sql)),
      };
    },
  };
  const broker = await openBroker(temporaryFile(), { internals: { driver } });
  const [fsyncFailed, readFailed] = [1034, 266];
  errors.push(fsyncFailed, readFailed);
  const error: unknown = await broker.publish(messages(1001)).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(PublishFailed);
  const { failures } = error as PublishFailed;
  expect([failures.size, failures.get(0)?.code, failures.get(1000)?.code]).toEqual([1001, "Q1102", "Q1012"]);
});

test("a row that another program put at the last possible position keeps nobody from sending", async () => {
  const path = temporaryFile();
  const broker = await openBroker(path);
  await broker.publish([message("first")]);
  const raw = await openRaw(path);
  raw.exec(`INSERT INTO message (queue_id, position) VALUES (1, ${Number.MAX_SAFE_INTEGER})`);
  await broker.publish([message("second")]);
  const inOrder = raw.prepare("SELECT id FROM message ORDER BY position").all();
  expect(inOrder).toEqual([{ id: "first" }, { id: "second" }, { id: null }]);
});

test("a message to a queue that is declared later with priorities takes its place then", async () => {
  const broker = await openBroker(temporaryFile());
  await broker.publish([message("low", { priority: 1 }), message("high", { priority: 8 })]);
  await broker.declare([{ name: "default", priorities: true }]);
  await broker.publish([message("highest", { priority: 9 }), message("lowest", { priority: 0 })]);
  const delivered = await take(broker, 4);
  expect(delivered.map((delivery) => wellFormed(delivery).id)).toEqual(["highest", "high", "low", "lowest"]);
});

test("keys of publishOnce that differ only behind a NUL are two keys", async () => {
  const broker = await openBroker(temporaryFile());
  const publish = (key: string): Promise<string> => broker.once.publishOnce(message(`m${key.length}`), key, 60_000);
  expect([await publish("a\0b"), await publish("a\0c"), await publish("a"), await publish("a\0b")]).toEqual([
    "published",
    "published",
    "published",
    "duplicate",
  ]);
});

test("used keys do not stay for ever", async () => {
  const path = temporaryFile();
  const broker = await openBroker(path);
  for (let key = 0; key < 20; key += 1) await broker.once.publishOnce(message("m"), `key ${key}`, 1);
  const raw = await openRaw(path);
  await expect
    .poll(async () => {
      await broker.once.publishOnce(message("m"), "last", 1);
      return raw.prepare("SELECT count(*) AS count FROM once").get();
    })
    .toEqual({ count: 1 });
});
