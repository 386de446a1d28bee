import { describe, expect, test } from "vitest";
import { AssertionError } from "node:assert/strict";
import type { Delivery } from "@q/core/broker";
import { Inbox, labelsOf, settleAll } from "./inbox.ts";
import { eventually, within } from "./wait.ts";

const inboxOf = (): Inbox => new Inbox({ withinMs: 200, quietMs: 20 });

function delivery(label: string, settled: "settled" | "lost" = "settled"): Delivery {
  const properties = { contentType: "application/json", contentEncoding: "utf-8" };
  return {
    message: { id: label, queue: "q", priority: 0, headers: {}, properties, body: Buffer.from(label) },
    crashes: 0,
    lost: new AbortController().signal,
    start: async () => settled,
    settle: async () => settled,
  };
}

describe("an inbox", () => {
  test("hands out deliveries in order, each once, also those that come while it waits", async () => {
    const inbox = inboxOf();
    inbox.add(delivery("1"));
    const taking = inbox.take(3);
    inbox.add(delivery("2"));
    inbox.add(delivery("3"));
    inbox.add(delivery("4"));
    expect(labelsOf(await taking)).toEqual(["1", "2", "3"]);
    expect(labelsOf([await inbox.takeOne()])).toEqual(["4"]);
  });

  test("fails when too few come, and says how many did", async () => {
    const inbox = inboxOf();
    await expect(inbox.take(1, 20)).rejects.toThrow(/not within 20 ms: 1 deliveries arrive/);
    inbox.add(delivery("1"));
    await expect(inbox.take(2, 20)).rejects.toThrow(/2 deliveries were due within 20 ms/);
  });

  test("does not stay empty when something comes that nobody took", async () => {
    const inbox = inboxOf();
    inbox.add(delivery("1"));
    await inbox.take(1);
    await inbox.staysEmpty();
    inbox.add(delivery("2"));
    await expect(inbox.staysEmpty()).rejects.toThrow(AssertionError);
  });

  test("fails its next wait with what went wrong in its handler", async () => {
    const inbox = inboxOf();
    inbox.onDelivery = (arrived) => settleAll([arrived], { kind: "ack" });
    inbox.add(delivery("1", "lost"));
    await expect(inbox.take(1)).rejects.toThrow(/ack of held messages/);
  });
});

describe("waiting", () => {
  test("eventually ends as soon as the condition holds", async () => {
    let looks = 0;
    await eventually(() => ++looks === 3, 1000);
    expect(looks).toBe(3);
  });

  test("eventually fails with the last assertion, and passes other errors on at once", async () => {
    await expect(eventually(() => expectTwo(1), 20)).rejects.toThrow(/not within 20 ms: expected two/);
    await expect(eventually(() => Promise.reject(new RangeError("mine")), 1000)).rejects.toThrow(RangeError);
  });

  test("within fails a promise that stays open, and keeps the outcome of one that does not", async () => {
    await expect(within(new Promise(() => undefined), 10, "it ends")).rejects.toThrow("not within 10 ms: it ends");
    await expect(within(Promise.resolve(7), 1000, "it ends")).resolves.toBe(7);
    await expect(within(Promise.reject(new RangeError("mine")), 1000, "it ends")).rejects.toThrow(RangeError);
  });
});

function expectTwo(count: number): void {
  if (count !== 2) throw new AssertionError({ message: "expected two" });
}
