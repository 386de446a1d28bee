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
  const facts = { args: {}, maxRetries: 3, logger: silentLogger, onProgress: undefined };
  return { lost, context: new AttemptContext(message, delivery, facts) };
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
