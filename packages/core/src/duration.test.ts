import { expect, test } from "vitest";
import { durationMs, formatMs } from "./duration.ts";

test.each([
  ["250ms", 250],
  ["30s", 30_000],
  ["1.5s", 1500],
  ["5m", 300_000],
  ["12h", 43_200_000],
  ["7d", 604_800_000],
] as const)("%s is %d ms", (duration, ms) => {
  expect(durationMs(duration)).toBe(ms);
});

test.each(["30", 30, "-5s", "5 s", "1e3s", "s", "", null, "30S"])(
  "%j is refused, with a duration to write instead",
  (value) => {
    expect(() => durationMs(value as never, "countdown of t.x")).toThrow(
      expect.objectContaining({
        code: "Q2010",
        message: expect.stringContaining("countdown of t.x"),
        hint: expect.stringContaining('"'),
      }),
    );
  },
);

test("more than a thousand years are refused", () => {
  expect(durationMs("365000d")).toBe(31_536_000_000_000);
  expect(() => durationMs("365001d", "countdown of t.x")).toThrow(
    expect.objectContaining({ code: "Q2010", message: 'countdown of t.x is "365001d": expected at most 365000d' }),
  );
});

test.each([
  [12, "12 ms"],
  [1204, "1.2 s"],
  [40_000, "40 s"],
  [252_000, "4 min 12 s"],
  [7_200_000, "2 h"],
  [11_880_000, "3 h 18 min"],
  [90_061_000, "1 d 1 h"],
] as const)("%d ms is written %s", (ms, text) => {
  expect(formatMs(ms)).toBe(text);
});
