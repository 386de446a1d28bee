import { FakeClock } from "@q/core/testing";
import { expect, test, vi } from "vitest";
import { FakeConnection, outboxOptions } from "../test/fake-connection.ts";
import type { Connection } from "./connection.ts";
import { Outboxes } from "./outboxes.ts";
import { toQueue } from "./schedule-message.ts";

async function setUp() {
  const connection = new FakeConnection();
  const clock = new FakeClock();
  const apart: Connection[] = [];
  const outboxes = new Outboxes({
    ...outboxOptions(connection),
    clock,
    onApart: (own) => void apart.push(own),
  });
  const { channel } = connection.connect();
  await vi.waitFor(() => expect(channel.listenerCount("drain")).toBe(1));
  const send = (...places: readonly (readonly [queue: string, text: string])[]) =>
    outboxes.send(places.map(([queue, text]) => toQueue(queue, Buffer.from(text), {})));
  return { connection, channel, clock, apart, send };
}

/** Two looks. */
const longWhile = "5s";

test("what waits behind a message without an answer leaves on a new connection, and its queue keeps the old one", async () => {
  const { connection, channel: old, clock, apart, send } = await setUp();
  old.isFull = true;
  const sends = [send(["stuck", "s1"]), send(["free", "a"], ["stuck", "s2"], ["free", "b"])];
  await clock.advance(longWhile);
  expect(apart).toHaveLength(1);
  const { channel: next } = connection.connect();
  await vi.waitFor(() => expect(next.published).toEqual(["a", "b"]));
  sends.push(send(["stuck", "s3"], ["free", "c"]));
  expect(next.published).toEqual(["a", "b", "c"]);
  old.isFull = false;
  old.emit("drain");
  expect(old.published).toEqual(["s1", "s2", "s3"]);
  next.confirm("a", "b", "c");
  old.confirm("s1", "s2", "s3");
  expect((await Promise.all(sends)).map(({ size }) => size)).toEqual([0, 0, 0]);
});

test("a message that fails is named by its place, wherever the others went", async () => {
  const { connection, clock, send } = await setUp();
  void send(["stuck", "s1"]);
  await clock.advance(longWhile);
  const { channel } = connection.connect();
  await vi.waitFor(() => expect(channel.listenerCount("drain")).toBe(1));
  const sending = send(["free", "a"], ["stuck", "s2"], ["free", "b"]);
  channel.confirm("a", "b");
  await clock.advance("10s");
  expect([...(await sending).keys()]).toEqual([1]);
});

test("a server that confirms nothing at all gets one more connection, and not one for each queue", async () => {
  const { connection, clock, apart, send } = await setUp();
  void send(["one", "a"]);
  await clock.advance(longWhile);
  const { channel } = connection.connect();
  await vi.waitFor(() => expect(channel.listenerCount("drain")).toBe(1));
  void send(["two", "b"]);
  await clock.advance(longWhile);
  expect(apart).toHaveLength(1);
  channel.confirm("b");
  void send(["three", "c"]);
  await clock.advance(longWhile);
  expect(apart).toHaveLength(2);
});

test("a queue whose messages have answers, however late, stays with the others", async () => {
  const { channel, clock, apart, send } = await setUp();
  void send(["slow", "0"]);
  for (const at of Array.from({ length: 10 }).keys()) {
    await clock.advance("2s");
    void send(["slow", String(at + 1)]);
    channel.confirm(String(at));
  }
  expect(apart).toEqual([]);
});
