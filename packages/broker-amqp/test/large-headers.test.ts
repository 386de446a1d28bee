import type { DeadLetter, Delivery, Outcome } from "@q/core/broker";
import { isInstalled } from "@q/test-servers";
import { beforeAll, beforeEach, expect, test } from "vitest";
import { eventually, message, opened } from "./opened.ts";
import { newVhost } from "./shared-node.ts";

const installed = isInstalled("rabbitmq-server");
let url: string;

beforeAll(async () => {
  if (installed) ({ url } = await newVhost("large-headers"));
});

beforeEach(({ skip }) => {
  skip(!installed, "no RabbitMQ here: apt-get install rabbitmq-server");
});

/** A message with so many bytes in its headers, of the 64 KiB that fit, comes to this; with the letter it becomes, what has come. */
async function settled(queue: string, bytes: number, outcome: Outcome): Promise<readonly [DeadLetter, number]> {
  const broker = await opened({ url }, queue);
  await broker.publish([message(queue, "a", { headers: { task: "t", id: "a", note: "x".repeat(bytes) } })]);
  const came: Delivery[] = [];
  await broker.consume([queue], { prefetch: 1 }, (delivery) => {
    came.push(delivery);
    // Whether it can be stored is what this is about.
    delivery.settle(outcome).catch(() => undefined);
  });
  await eventually(async () => expect((await broker.inspector?.stats(queue))?.dead).toBe(1));
  const [letter] = (await broker.inspector?.deadLetters(queue, { limit: 10 }))?.items ?? [];
  if (letter === undefined) throw new Error("expected a dead letter");
  return [letter, came.length];
}

const stack = "y".repeat(30_000);
const failed: Outcome = {
  kind: "bury",
  reason: { code: "failed", message: "Error: no", error: { name: "Error", stack } },
};

test("beside large headers a dead letter has a shorter reason", async () => {
  const [{ message: dead, reason }, deliveries] = await settled("shorter", 40_000, failed);
  expect(deliveries).toBe(1);
  expect(dead).toMatchObject({ id: "a", headers: { task: "t" } });
  expect(reason).toEqual({ code: "failed", message: "Error: no" });
});

test("headers that leave no room for a reason stand in front of the body of the dead letter", async () => {
  const [{ message: dead, reason }, deliveries] = await settled("in-front", 65_400, failed);
  expect(deliveries).toBe(1);
  if (!("malformed" in dead)) throw new Error("expected it to be malformed");
  const [head, body] = Buffer.from(dead.raw).toString().split("\n");
  expect(JSON.parse(head ?? "")).toMatchObject({ id: "a", headers: { task: "t", note: "x".repeat(65_400) } });
  expect(body).toBe("[[], {}, {}]");
  expect(reason.code).toBe("failed");
  expect(reason.message).toMatch(/^Error: no; .*in front of its body/);
});

test("a retry that cannot be stored is dead, and does not run again", async () => {
  const headers = { task: "t", id: "a", note: "x".repeat(70_000) };
  const [{ message: dead, reason }, deliveries] = await settled("retried", 10, {
    kind: "requeue",
    delayMs: 0,
    headers,
  });
  expect(deliveries).toBe(1);
  expect(dead).toMatchObject({ id: "a", headers: { task: "t", note: "x".repeat(10) } });
  expect(reason).toMatchObject({ code: "unstorable", message: expect.stringContaining("65536 byte") as unknown });
});
