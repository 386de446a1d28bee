import { expect, test } from "vitest";
import { flagChoice, flagDurationMs, flagList, flagNumber } from "./flag-values.ts";

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
