import { systemClock, type Clock } from "@q/core/broker";
import { FakeClock } from "@q/core/testing";
import { expect, test, vi } from "vitest";
import { FakeConnection, outboxOptions } from "../test/fake-connection.ts";
import { Outbox } from "./outbox.ts";
import { toQueue } from "./schedule-message.ts";

function setUp(clock: Clock = systemClock) {
  const connection = new FakeConnection();
  const outbox = new Outbox({ ...outboxOptions(connection), clock });
  const send = (texts: readonly string[]) => outbox.send(texts.map((text) => toQueue("queue", Buffer.from(text), {})));
  return { send, connect: () => connection.connect() };
}

const texts = ["a", "b", "c", "d", "e", "f"];

test("what the end of a connection left without a confirm is sent again in its order, before what waits", async () => {
  const { send, connect } = setUp();
  const first = connect();
  await vi.waitFor(() => expect(first.channel.listenerCount("drain")).toBe(1));
  const sending = send(texts);
  expect(first.channel.published).toEqual(texts);
  first.channel.confirm("a", "c");
  first.lose();
  const behind = send(["g"]);
  const second = connect();
  await vi.waitFor(() => expect(second.channel.published).toEqual(["b", "d", "e", "f", "g"]));
  // Too late, and of no use.
  first.channel.confirm("b");
  second.channel.confirm("g", "f", "e", "d", "b");
  expect([await sending, await behind].map(({ size }) => size)).toEqual([0, 0]);
});

test("of messages that look the same, the one that was sent first came back", async () => {
  const { send, connect } = setUp();
  const { channel } = connect();
  await vi.waitFor(() => expect(channel.listenerCount("drain")).toBe(1));
  const before = send(["x"]);
  const sends = Array.from({ length: 3 }, () => send(["same"]));
  // Its place in the bag is taken by the last one.
  channel.confirm("x");
  channel.emit("return", { fields: { exchange: "", routingKey: "queue" }, content: Buffer.from("same") });
  channel.confirm("same", "same", "same");
  const codes = (await Promise.all(sends)).map((failures) => failures.get(0)?.code);
  expect(codes).toEqual(["Q1105", undefined, undefined]);
  expect((await before).size).toBe(0);
});

test("what had no answer when its channel ended may be stored, and what was refused before is not", async () => {
  const clock = new FakeClock();
  const { send, connect } = setUp(clock);
  const first = connect();
  await vi.waitFor(() => expect(first.channel.listenerCount("drain")).toBe(1));
  const sends = ["refused", "again", "unknown"].map((text) => send([text]));
  first.channel.refuse("refused");
  first.channel.end();
  first.lose();
  const second = connect();
  await vi.waitFor(() => expect(second.channel.marked).toEqual(["again", "unknown"]));
  second.channel.confirm("again");
  second.channel.end();
  second.lose();
  await clock.advance("10s");
  const codes = (await Promise.all(sends)).map((failures) => failures.get(0)?.code);
  expect(codes).toEqual(["Q1106", undefined, "Q1102"]);
});
