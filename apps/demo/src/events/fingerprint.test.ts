import { expect, test } from "vitest";
import type { ErrorEvent, StackFrame } from "./error-event.ts";
import { fingerprintOf, fingerprintParts } from "./fingerprint.ts";

function event(type: string, value: string, frames: readonly StackFrame[] = []): ErrorEvent {
  return {
    event_id: "0".repeat(32),
    timestamp: 0,
    platform: "node",
    project: "shop",
    exception: {
      values: [
        { type: "Cause", value: "any" },
        { type, value, ...(frames.length > 0 ? { stacktrace: { frames } } : {}) },
      ],
    },
  };
}

const own = (name: string, lineno = 1): StackFrame => ({
  function: name,
  filename: "src/pay.ts",
  lineno,
  in_app: true,
});
const library: StackFrame = { function: "next", filename: "node_modules/koa/index.js", lineno: 3, in_app: false };

test("the message and the line do not matter when there are frames of the program's own", () => {
  const one = fingerprintOf(event("TypeError", "order 1 failed", [own("main", 1), own("pay", 9)]));
  const other = fingerprintOf(event("TypeError", "order 2 failed", [own("main", 4), own("pay", 30)]));
  expect(one).toBe(other);
  expect(one).toMatch(/^[0-9a-f]{16}$/);
});

test("another type or another function makes another group", () => {
  const base = fingerprintOf(event("TypeError", "x", [own("pay")]));
  expect(fingerprintOf(event("RangeError", "x", [own("pay")]))).not.toBe(base);
  expect(fingerprintOf(event("TypeError", "x", [own("refund")]))).not.toBe(base);
});

test("frames of libraries are left out where the program's own are there", () => {
  expect(fingerprintOf(event("Error", "x", [own("pay"), library]))).toBe(
    fingerprintOf(event("Error", "x", [own("pay")])),
  );
});

test("where there are only frames of libraries, these count", () => {
  expect(fingerprintParts(event("Error", "x", [library]))).toEqual(["Error", "node_modules/koa/index.js next"]);
});

test("frames of the runtime do not count", () => {
  const runtime: StackFrame = { function: "doListen", filename: "node:net", lineno: 1, in_app: false };
  expect(fingerprintParts(event("Error", "listen EADDRINUSE 127.0.0.1:4711", [runtime]))).toEqual([
    "Error",
    "listen EADDRINUSE <n>.<n>.<n>.<n>:<n>",
  ]);
});

test("the innermost five places count, and a recursion is one place", () => {
  const frames = [own("outermost"), own("a"), own("b"), own("c"), own("d"), own("walk"), own("walk"), own("walk")];
  expect(fingerprintParts(event("RangeError", "x", frames))).toEqual([
    "RangeError",
    ...["walk", "d", "c", "b", "a"].map((name) => `src/pay.ts ${name}`),
  ]);
});

test("whether a function was awaited does not matter", () => {
  expect(fingerprintOf(event("Error", "x", [own("async load")]))).toBe(
    fingerprintOf(event("Error", "x", [own("load")])),
  );
});

test("functions without a name are told apart by their line", () => {
  const unnamed = (lineno: number): ErrorEvent =>
    event("Error", "x", [{ filename: "src/pay.ts", lineno, in_app: true }]);
  expect(fingerprintOf(unnamed(1))).not.toBe(fingerprintOf(unnamed(2)));
});

test("without frames the message counts, with numbers and ids taken out", () => {
  const one = event("Error", "user 17 has no session fc6d8c0c-43fc-4630-ad85-0ee518f1b9d0");
  const other = event("Error", "user 4 has no session 00000000-0000-4000-8000-000000000000");
  expect(fingerprintOf(one)).toBe(fingerprintOf(other));
  expect(fingerprintOf(one)).not.toBe(fingerprintOf(event("Error", "user 17 has no cart")));
});

test("an event without an exception is grouped by its message", () => {
  const { exception: _, ...rest } = event("Error", "x");
  expect(fingerprintParts({ ...rest, message: "12 files left\nmore" })).toEqual(["message", "<n> files left"]);
});
