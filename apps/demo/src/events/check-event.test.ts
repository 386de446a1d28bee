import { describe, expect, test } from "vitest";
import { maxEventDepth, readEvent } from "./check-event.ts";
import { EventRefused } from "./event-refused.ts";

const good = {
  event_id: "fc6d8c0c43fc4630ad850ee518f1b9d0",
  timestamp: "2026-11-22T09:42:31.118Z",
  platform: "node",
  project: "shop",
  exception: {
    values: [{ type: "TypeError", value: "x is null", stacktrace: { frames: [{ function: "pay", in_app: true }] } }],
  },
};

function refusalOf(event: unknown): EventRefused {
  try {
    readEvent(typeof event === "string" ? event : JSON.stringify(event));
  } catch (error) {
    if (error instanceof EventRefused) return error;
    throw error;
  }
  throw new Error("the event was not refused");
}

test("an event with what is required passes, with every field that is not known", () => {
  expect(readEvent(JSON.stringify({ ...good, sdk: { name: "x" } }))).toMatchObject({ ...good, sdk: { name: "x" } });
});

test("an id with dashes and capitals is the same id as without", () => {
  const event = { ...good, event_id: "FC6D8C0C-43FC-4630-AD85-0EE518F1B9D0" };
  expect(readEvent(JSON.stringify(event)).event_id).toBe(good.event_id);
});

test("seconds since 1970 are a timestamp, and null is a missing stack", () => {
  const event = { ...good, timestamp: 1_795_340_551.118, exception: { values: [{ type: "Error", stacktrace: null }] } };
  expect(readEvent(JSON.stringify(event)).timestamp).toBe(event.timestamp);
});

test("an event without an exception needs a message", () => {
  expect(readEvent(JSON.stringify({ ...good, exception: undefined, message: "disk full" })).message).toBe("disk full");
  expect(refusalOf({ ...good, exception: undefined })).toMatchObject({ code: "missing_field", path: "exception" });
});

describe("a refusal names the field", () => {
  const exception = (value: unknown): unknown => ({ ...good, exception: { values: [value] } });
  test.each([
    ["missing_field", "event_id", { ...good, event_id: undefined }],
    ["invalid_field", "event_id", { ...good, event_id: "42" }],
    ["missing_field", "timestamp", { ...good, timestamp: undefined }],
    ["invalid_field", "timestamp", { ...good, timestamp: "yesterday" }],
    ["missing_field", "platform", { ...good, platform: undefined }],
    ["invalid_field", "project", { ...good, project: 7 }],
    ["invalid_field", "level", { ...good, level: "loud" }],
    ["invalid_field", "release", { ...good, release: "r".repeat(251) }],
    ["invalid_field", "exception.values", { ...good, exception: [] }],
    [
      "invalid_field",
      "exception.values",
      { ...good, exception: { values: Array.from({ length: 51 }, () => ({ type: "Error" })) } },
    ],
    ["missing_field", "exception.values[0].type", exception({ value: "no type" })],
    ["invalid_field", "exception.values[0].stacktrace.frames", exception({ type: "Error", stacktrace: {} })],
    [
      "invalid_field",
      "exception.values[0].stacktrace.frames[0]",
      exception({ type: "Error", stacktrace: { frames: [null] } }),
    ],
    [
      "invalid_field",
      "exception.values[0].stacktrace.frames[0].function",
      exception({ type: "E", stacktrace: { frames: [{ function: 1 }] } }),
    ],
  ])("%s %s", (code, path, event) => {
    expect(refusalOf(event)).toMatchObject({ code, path, status: 400 });
  });
});

test("what is no JSON is refused without quoting it", () => {
  const refusal = refusalOf('{"password": "hunter2", ');
  expect(refusal.code).toBe("not_json");
  expect(refusal.message).not.toContain("hunter2");
});

test("a list, text or null is no event", () => {
  for (const body of ["[]", '"text"', "null"]) expect(refusalOf(body).code).toBe("invalid_field");
});

test("nesting may be as deep as the limit and no deeper, however deep it is", () => {
  // The event itself is the first level.
  const nested = (depth: number): string =>
    `${JSON.stringify(good).slice(0, -1)},"extra":${"[".repeat(depth)}${"]".repeat(depth)}}`;
  expect(readEvent(nested(maxEventDepth - 1)).event_id).toBe(good.event_id);
  expect(refusalOf(nested(maxEventDepth)).code).toBe("too_deep");
  expect(refusalOf(nested(100_000)).code).toBe("too_deep");
});

test("a key named __proto__ changes nothing but the event", () => {
  const event = readEvent(`${JSON.stringify(good).slice(0, -1)},"__proto__":{"polluted":true}}`);
  expect(event.project).toBe("shop");
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
});
