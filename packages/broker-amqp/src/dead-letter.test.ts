import type { GetMessage } from "amqplib";
import { expect, test } from "vitest";
import { readDeadLetter } from "./dead-letter.ts";

function diedAtOf(headers: Readonly<Record<string, unknown>>): number {
  const found: unknown = { content: Buffer.from("{}"), fields: {}, properties: { headers } };
  return readDeadLetter(found as GetMessage, "email").diedAt;
}

const byNote = (diedAt: unknown): number =>
  diedAtOf({ "x-q-dead": JSON.stringify({ entry: "e1", diedAt, reason: { code: "failed", message: "no" } }) });
const byServer = (value: unknown): number => diedAtOf({ "x-death": [{ time: { "!": "timestamp", value } }] });

test("a dead letter says when it died, unless that is no time", () => {
  expect([byNote(1_796_046_734_158), byServer(1_796_046_734)]).toEqual([1_796_046_734_158, 1_796_046_734_000]);
  expect([1e300, 0.5, -1, "soon", null].map(byNote)).toEqual([0, 0, 0, 0, 0]);
  expect([1e300, 0.0005, -1, "soon", null].map(byServer)).toEqual([0, 0, 0, 0, 0]);
});
