import { expect, test } from "vitest";
import type { ErrorEvent } from "./error-event.ts";
import { summaryOf } from "./summary.ts";

function event(value: string, more: Partial<ErrorEvent> = {}): ErrorEvent {
  const frames = [
    { function: "pay", filename: "src/pay.ts", in_app: true },
    { function: "emit", filename: "node:events", in_app: false },
  ];
  const exception = { values: [{ type: "Error", value, stacktrace: { frames } }] };
  return { event_id: "0".repeat(32), timestamp: 0, platform: "node", project: "shop", exception, ...more };
}

test("the title is type and message, the culprit the innermost place in the program's own code", () => {
  expect(summaryOf(event("no route"))).toEqual({ title: "Error: no route", culprit: "pay in src/pay.ts", client: "" });
});

test("a title is one line without control characters or half characters", () => {
  const { title } = summaryOf(event("a\nb\u0000c\u001b[31md \u202eevil\u202c \ud83d end"));
  expect(title).toBe("Error: a b c [31md  evil  \ufffd end");
});

test("a long title is cut between characters", () => {
  const { title } = summaryOf(event("😀".repeat(500)));
  expect(Array.from(title)).toHaveLength(160);
  expect(title.endsWith("😀…")).toBe(true);
});

test("the client is the first word of the user agent", () => {
  expect(summaryOf(event("x", { request: { headers: { "User-Agent": "curl/8.5 linux" } } })).client).toBe("curl/8.5");
});

test("headers as pairs meet the bug that the demo shows", () => {
  expect(() => summaryOf(event("x", { request: { headers: [["User-Agent", "curl/8.5"]] } }))).toThrow(TypeError);
});
