import { expect, test } from "vitest";
import { flagChoice, flagDurationMs, flagList, flagNumber, flagTime } from "./flag-values.ts";

test("durations have a unit, and the error names the flag", () => {
  expect(flagDurationMs("--idle", "1.5s")).toBe(1500);
  expect(flagDurationMs("--idle", "2d")).toBe(172_800_000);
  expect(flagDurationMs("--idle", undefined)).toBeUndefined();
  expect(() => flagDurationMs("--idle", "30")).toThrow(/--idle is "30"/);
});

test("numbers are whole and in their range", () => {
  const range = { from: 1, to: 100 };
  expect(flagNumber("-c", "42", range)).toBe(42);
  for (const text of ["0", "101", "-1", "4.5", "4x", "", "1e2"]) {
    expect(() => flagNumber("-c", text, range)).toThrow(/expected a whole number from 1 to 100/);
  }
});

test("a choice is taken in any case", () => {
  expect(flagChoice("-l", "INFO", ["debug", "info"])).toBe("info");
  expect(() => flagChoice("-l", "loud", ["debug", "info"])).toThrow("expected one of debug, info");
});

test("lists are split at commas and over repeated flags", () => {
  expect(flagList(["a,b", " c ", ",", "d,"])).toEqual(["a", "b", "c", "d"]);
});

test("times are those of ISO 8601", () => {
  expect(flagTime("--eta", "2026-11-22T09:00:00Z")).toEqual(new Date(Date.UTC(2026, 10, 22, 9)));
  expect(flagTime("--eta", "2026-11-22T09:00+01:00")).toEqual(new Date(Date.UTC(2026, 10, 22, 8)));
  expect(flagTime("--eta", "2026-11-22 09:00:00.5Z")).toEqual(new Date(Date.UTC(2026, 10, 22, 9, 0, 0, 500)));
  expect(flagTime("--eta", "2028-02-29")).toEqual(new Date(Date.UTC(2028, 1, 29)));
  expect(flagTime("--eta", undefined)).toBeUndefined();
});

test.each([
  "60",
  "5",
  "2026",
  "2026-11",
  "May 5",
  "2026-02-30T10:00:00Z",
  "2026-13-01",
  "2026-11-22T25:00",
  "2026-11-22 x",
  "",
])("%j is no time", (text) => {
  expect(() => flagTime("--eta", text)).toThrow(`--eta is "${text}": expected a time such as`);
});
