import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import type { Delivery } from "./broker/delivery.ts";
import { silentLogger } from "./logger.ts";
import { plainCall } from "./message.ts";
import { AttemptContext } from "./task-context.ts";

function setUp() {
  const lost = new AbortController();
  const delivery = { crashes: 0, lost: lost.signal } as Delivery;
  const message = { ...plainCall, id: "m", rootId: "m", task: "t.x", queue: "q" };
  const told: number[] = [];
  const onProgress = (value: number): void => void told.push(value);
  const facts = { args: {}, maxRetries: 3, logger: silentLogger, onProgress };
  return { lost, told, context: new AttemptContext(message, delivery, facts) };
}

test("the signal aborts when somebody else owns the message", () => {
  const { lost, context } = setUp();
  const { signal } = context;
  lost.abort();
  expect(signal.reason).toMatchObject({ code: "Q4004" });
});

test("an ended attempt lets go of the delivery's signal, which a broker may share between all its deliveries", () => {
  const { lost, context } = setUp();
  expect(context.signal.aborted).toBe(false);
  expect(getEventListeners(lost.signal, "abort")).toHaveLength(1);
  context.end();
  expect(getEventListeners(lost.signal, "abort")).toHaveLength(0);
});

test("nor does one hold on to it that is first asked for its signal after its end", () => {
  const { lost, context } = setUp();
  context.end();
  expect(context.signal.aborted).toBe(false);
  expect(getEventListeners(lost.signal, "abort")).toHaveLength(0);
});

test("a handler may take out of the context what it needs", () => {
  const { context, told } = setUp();
  const { progress, retry } = context;
  for (const value of [-1, 0.5, 2]) progress(value);
  expect(told).toEqual([0, 0.5, 1]);
  expect(retry({ delay: "1s" })).toMatchObject({ name: "Retry", delayMs: 1000 });
});
