import { expect, test } from "vitest";
import { formatAgo, formatInstant, isoTime } from "./numbers.ts";

test("a time is told in UTC and as seen from now", () => {
  const at = Date.parse("2026-11-22T09:42:31Z");
  expect(isoTime(at)).toBe("2026-11-22T09:42:31.000Z");
  expect(formatInstant(at)).toBe("2026-11-22 09:42:31 UTC");
  expect(formatAgo(at, at + 252_000)).toBe("4 min 12 s ago");
});

test.each([1e300, -1e300, Number.MAX_SAFE_INTEGER, Infinity, Number.NaN])("%d is no time, and no error", (number) => {
  expect([isoTime(number), formatInstant(number), formatAgo(number, 0)]).toEqual([null, "?", "?"]);
});
