import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { errorRecord } from "./error-record.ts";

test("an error of many, which may say nothing itself, has the first of them for its cause", () => {
  const refused = Object.assign(new Error("connect ECONNREFUSED ::1:5432"), { code: "ECONNREFUSED" });
  const all = Object.assign(new AggregateError([refused, new Error("the other")], ""), { code: "ECONNREFUSED" });
  expect(errorRecord(all)).toMatchObject({
    name: "AggregateError",
    code: "ECONNREFUSED",
    cause: { message: "connect ECONNREFUSED ::1:5432" },
  });
  expect(errorRecord(new AggregateError([], "none", { cause: refused }))).toMatchObject({
    cause: { code: "ECONNREFUSED" },
  });
});

test("an error of another realm is an error", () => {
  const foreign: unknown = runInNewContext('new TypeError("x is not a function")');
  expect(errorRecord(foreign)).toMatchObject({
    name: "TypeError",
    message: "x is not a function",
    stack: expect.stringContaining("TypeError"),
  });
});

test("a plain object that is thrown with a message and a code says both", () => {
  const thrown = { message: "duplicate key value", code: "23505", details: "secret" };
  expect(errorRecord(thrown)).toEqual({ name: "NonError", message: "duplicate key value", code: "23505" });
  expect(errorRecord({ code: 7 })).toEqual({
    name: "NonError",
    message: "an instance of Object was thrown, which is not an Error",
    code: "7",
  });
});
