import type { ConfirmChannel } from "amqplib";
import { EventEmitter } from "node:events";
import { silentLogger, systemClock } from "@q/core/broker";
import { expect, test, vi } from "vitest";
import type { Connection } from "./connection.ts";
import type { Link } from "./link.ts";
import { Outbox } from "./outbox.ts";
import { toQueue } from "./schedule-message.ts";

/** A channel that confirms when the test says so. */
class FakeChannel extends EventEmitter {
  readonly published: string[] = [];
  readonly #unconfirmed: { readonly text: string; readonly onAnswer: (error: unknown) => void }[] = [];

  publish(_exchange: string, _key: string, content: Buffer, _options: object, onAnswer: (error: unknown) => void) {
    this.published.push(content.toString());
    this.#unconfirmed.push({ text: content.toString(), onAnswer });
    return true;
  }

  confirm(...texts: readonly string[]): void {
    for (const text of texts) {
      const [found] = this.#unconfirmed.splice(
        this.#unconfirmed.findIndex((one) => one.text === text),
        1,
      );
      found?.onAnswer(null);
    }
  }
}

function setUp() {
  let onLink: ((link: Link) => void) | undefined;
  const connection = { onLink: (listener: (link: Link) => void) => (onLink = listener), obstacle: undefined };
  const outbox = new Outbox({
    connection: connection as unknown as Connection, // all that is used of it
    clock: systemClock,
    logger: silentLogger,
    timeoutMs: 10_000,
    prepare: async () => {},
  });
  const send = (texts: readonly string[]) => outbox.send(texts.map((text) => toQueue("queue", Buffer.from(text), {})));
  /** A new connection. */
  const connect = () => {
    const channel = new FakeChannel();
    const lost = new AbortController();
    const link = { lost: lost.signal, confirmChannel: async () => channel as unknown as ConfirmChannel };
    onLink?.({ ...link, whenUnblocked: () => {}, blockedBecause: undefined } as unknown as Link); // the same
    return { channel, lose: () => lost.abort(new Error("cut")) };
  };
  return { send, connect };
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
