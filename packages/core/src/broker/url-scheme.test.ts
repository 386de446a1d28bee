import { expect, test } from "vitest";
import { schemeOf } from "./url-scheme.ts";

test.each([
  ["redis://cache:6379/0", "redis:"],
  ["REDISS+sentinel://a:26379,b:26379/mymaster", "rediss+sentinel:"],
  ["sqlite:.q/q.db", "sqlite:"],
  ["unix:/run/redis.sock", "unix:"],
  ["sqlite:2024", "sqlite:"],
  ["mysql://cache", "mysql:"],
  ["localhost:6379", undefined],
  ["cache:6379/0", undefined],
  ["app:secret@cache", undefined],
  ["//cache", undefined],
  ["", undefined],
])("the scheme of %j is %j", (url, expected) => {
  expect(schemeOf(url, ["sqlite:", "redis:"])).toBe(expected);
});
