import type { TaskEvent } from "@q/core";
import { expect, test } from "vitest";
import { eventLine, taskOf } from "./event-line.ts";

const facts = { id: "1", task: "email.send", queue: "email", retries: 1, crashes: 0 };
const error = { name: "SmtpError", message: "421 try again later" };

test.each([
  [{ ...facts, type: "task.succeeded", ms: 12.3456, waitMs: null }, "info", "ok", ""],
  [
    { ...facts, type: "task.retried", ms: 5, error, delayMs: 40_000, maxRetries: 3 },
    "warn",
    "retry",
    "try 2 of 4, again in 40 s  SmtpError: 421 try again later",
  ],
  [
    { ...facts, type: "task.dead", ms: null, reason: { code: "poison", message: "3 workers died with it" } },
    "error",
    "dead",
    "poison: 3 workers died with it",
  ],
  [{ ...facts, type: "task.ignored", ms: 5, error }, "info", "skip", "SmtpError: 421 try again later"],
] satisfies [TaskEvent, string, string, string][])("%j", (event, level, word, text) => {
  expect(eventLine(event)).toMatchObject({ level, word, text });
});

test("a message that could not be read has a name for people", () => {
  expect(taskOf({ ...facts, task: "", type: "task.started" })).toBe("(malformed)");
});

test("times in fields have two decimals at most", () => {
  expect(eventLine({ ...facts, type: "task.succeeded", ms: 12.3456, waitMs: 0.001 }).fields).toEqual({
    ms: 12.35,
    wait_ms: 0,
  });
});
