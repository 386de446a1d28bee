import { PublishRejected, PublishUnknown, BrokerError } from "@q/core/broker";
import { expect, test } from "vitest";
import { decodeAnswer, decodeRequest, encodeAnswer, encodeRequest, type ScheduleRequest } from "./schedule-request.ts";

const message = {
  id: "cron:a:1",
  queue: "default",
  priority: 3,
  headers: { task: "t", ä: [1, null] },
  properties: { contentType: "application/json", contentEncoding: "utf-8", correlationId: "c", replyTo: "r" },
  body: Buffer.from([0, 255, 10]),
};
const fire: ScheduleRequest = { kind: "fire", name: "a", at: 1000, isStored: true, priorities: false, message };

test.each<ScheduleRequest>([
  { kind: "now" },
  { kind: "list" },
  { kind: "begin", name: "a", at: 1 },
  { kind: "put", name: "ä 🔑", entry: { cron: "* * * * *" } },
  { kind: "remove", name: "a" },
  { kind: "pause", name: "a", paused: false },
  { kind: "counts", name: "a", at: 1, copy: "" },
  { ...fire, message: null },
  fire,
])("%j comes as it was asked", (request) => {
  expect(decodeRequest(encodeRequest(request))).toEqual(request);
});

test.each([
  "",
  "null",
  '{"kind":"steal"}',
  '{"kind":"remove"}',
  `{"kind":"remove","name":"${"x".repeat(129)}"}`,
  '{"kind":"begin","name":"a","at":1.5}',
  '{"kind":"put","name":"a","entry":[]}',
  '{"kind":"pause","name":"a","paused":1}',
  '{"kind":"counts","name":"a","at":1}',
  `{"kind":"counts","name":"a","at":1,"copy":"${"x".repeat(37)}"}`,
  '{"kind":"fire","name":"a","at":1,"isStored":false,"priorities":false}',
  '{"kind":"fire","name":"a","at":1,"isStored":false,"priorities":false,"message":{"id":"a"}}',
  "[".repeat(100) + "]".repeat(100),
])("%.60s is no request", (text) => {
  expect(decodeRequest(Buffer.from(text))).toBe(undefined);
});

test.each(["", "x".repeat(129)])("a name that no schedule can have is refused: %.10j", (name) => {
  expect(() => encodeRequest({ kind: "remove", name })).toThrow(expect.objectContaining({ code: "Q1101" }));
});

test("a tick that is too large is refused", () => {
  const body = Buffer.alloc(8 * 1024 * 1024);
  expect(() => encodeRequest({ ...fire, message: { ...message, body } })).toThrow(
    expect.objectContaining({ code: "Q1101" }),
  );
});

test.each([
  new PublishRejected("Q1106", "refused", { hint: "make room" }),
  new PublishUnknown("Q1102", "no answer"),
  new BrokerError("Q1028", "too large"),
])("what could not be done is said as it was: %s", (error) => {
  let raised: unknown;
  try {
    decodeAnswer(encodeAnswer({ error }));
  } catch (caught) {
    raised = caught;
  }
  expect(raised).toMatchObject({ name: error.name, code: error.code, message: error.message, hint: error.hint });
});

test.each(["", "{}", '{"error":{"code":7}}'])("an answer that makes no sense is an error: %j", (text) => {
  expect(() => decodeAnswer(Buffer.from(text))).toThrow(expect.objectContaining({ code: "Q1024" }));
});
