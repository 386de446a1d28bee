import { expect, test } from "vitest";
import { messages, openBroker, openRaw, take, temporaryFile } from "../test/temporary.ts";
import type { SqliteDatabase } from "./sqlite-driver.ts";

/** What the counters should say, counted. */
function counted(raw: SqliteDatabase): unknown {
  const sum = (condition: string): string =>
    `(SELECT count(*) FROM message WHERE queue_id = queue.id AND ${condition})`;
  return raw
    .prepare(
      `SELECT name, ${sum("state = 0")} AS ready, ${sum("state = 1")} AS delayed, ${sum("state = 2")} AS in_flight,
       (SELECT count(*) FROM dead WHERE queue_id = queue.id) AS dead FROM queue ORDER BY name`,
    )
    .all();
}

function counters(raw: SqliteDatabase): unknown {
  return raw.prepare("SELECT name, ready, delayed, in_flight, dead FROM queue ORDER BY name").all();
}

test("the counters stay exact through every change", async () => {
  const path = temporaryFile();
  const broker = await openBroker(path);
  const raw = await openRaw(path);
  const expectExact = (): void => expect(counters(raw)).toEqual(counted(raw));
  await broker.declare(["a", "b"].map((name) => ({ name, priorities: name === "b" })));
  for (const queue of ["a", "b"]) {
    await broker.publish(messages(40, { queue }));
    await broker.publish(messages(10, { queue, delayMs: 60_000 }));
    await broker.publish(messages(10, { queue, delayMs: 1 }));
    expectExact();
    const held = await take(broker, 30, queue);
    expectExact();
    await Promise.all([
      ...held.slice(0, 5).map((delivery) => delivery.settle({ kind: "ack" })),
      ...held.slice(5, 10).map((delivery) => delivery.settle({ kind: "release" })),
      ...held.slice(10, 15).map((delivery) => delivery.settle({ kind: "requeue", delayMs: 0 })),
      ...held.slice(15, 20).map((delivery) => delivery.settle({ kind: "requeue", delayMs: 60_000 })),
      ...held
        .slice(20, 28)
        .map((delivery) => delivery.settle({ kind: "bury", reason: { code: "failed", message: "x" } })),
    ]);
    expectExact();
    const { items } = await broker.inspector.deadLetters(queue, { limit: 4 });
    await broker.inspector.redrive(queue, items.slice(0, 2));
    await broker.inspector.drop(
      queue,
      items.slice(2).map(({ entryId }) => entryId),
    );
    expectExact();
  }
  await broker.inspector.purge("a");
  expectExact();
  expect(await broker.inspector.stats("a")).toMatchObject({ ready: 0, delayed: 0, inFlight: 2, dead: 4 });
  await broker.close();
  expectExact();
});

test("rows that another program writes or deletes are counted as well", async () => {
  const path = temporaryFile();
  const broker = await openBroker(path);
  await broker.publish(messages(3));
  const raw = await openRaw(path);
  raw.exec("INSERT INTO message (queue_id) VALUES (1), (1); DELETE FROM message WHERE id = 'm1'");
  expect(await broker.inspector.stats("default")).toMatchObject({ ready: 4 });
});

test("what is due counts as ready and is shown as ready, also while nobody claims it", async () => {
  const broker = await openBroker(temporaryFile());
  await broker.publish(messages(2));
  await broker.publish(messages(3, { delayMs: 1 }));
  await broker.publish(messages(4, { delayMs: 60_000 }));
  await expect.poll(async () => (await broker.inspector.stats("default")).ready).toBe(5);
  expect((await broker.inspector.stats("default")).delayed).toBe(4);
  const first = await broker.inspector.peek?.("default", "ready", { limit: 4 });
  const second = await broker.inspector.peek?.("default", "ready", { limit: 4, cursor: first?.next ?? undefined });
  expect([first?.items.length, second?.items.length, second?.next]).toEqual([4, 1, null]);
  expect((await broker.inspector.peek?.("default", "delayed", { limit: 10 }))?.items).toHaveLength(4);
});

test("a queue that nobody knows is empty", async () => {
  const broker = await openBroker(temporaryFile());
  const { inspector } = broker;
  expect(await inspector.stats("none")).toEqual({
    queue: "none",
    ready: 0,
    delayed: 0,
    inFlight: 0,
    dead: 0,
    oldestReadyMs: 0,
    consumers: 0,
    paused: false,
  });
  expect(await inspector.peek?.("none", "ready", { limit: 1 })).toEqual({ items: [], next: null });
  expect(await inspector.deadLetters("none", { limit: 1 })).toEqual({ items: [], next: null });
  expect([
    await inspector.purge("none"),
    await inspector.redrive("none", [{ entryId: "1" }]),
    await inspector.drop("none", ["1"]),
  ]).toEqual([0, 0, 0]);
  expect(await inspector.queues()).toEqual([]);
});

test.each(["junk", "ready.1", "due.1.x", "delayed.1.2", "ready.1.2.9007199254740993", ""])(
  "refuses %j as a cursor",
  async (cursor) => {
    const broker = await openBroker(temporaryFile());
    await expect(broker.inspector.peek?.("default", "ready", { limit: 1, cursor })).rejects.toMatchObject({
      code: "Q1013",
    });
    await expect(broker.inspector.deadLetters("default", { limit: 1, cursor })).rejects.toMatchObject({
      code: "Q1013",
    });
  },
);

test("entry ids that are none of ours are no entries", async () => {
  const broker = await openBroker(temporaryFile());
  await broker.publish(messages(1));
  expect(await broker.inspector.drop("default", ["", "x", "-1", "1e3", "99999999999999999999"])).toBe(0);
});
