import { expect, test } from "vitest";
import { typableNames } from "./typable-names.ts";

test.each([
  "email",
  "billing.charge",
  "cron:nightly:2026-11-22T02:00:00Z",
  "src/tasks:a",
  "größe",
  "a@b",
  "01JD5Q4T1X",
  "a=b",
])("%s is offered", (name) => {
  expect(typableNames([name])).toEqual([name]);
});

test.each([
  "$(id)",
  "`id`",
  "a;id",
  "a b",
  "a|id",
  "a&id",
  "a>b",
  "a'b",
  'a"b',
  "a\\b",
  "--yes",
  "~root",
  "a\u001b[2J",
  "a\u202eb",
  "a*",
  "{a,b}",
  "",
])("%j, which a shell would read something into, is not", (name) => {
  expect(typableNames([name, "email"])).toEqual(["email"]);
});
