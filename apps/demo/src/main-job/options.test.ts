import { expect, test } from "vitest";
import { defaultEvents, readOptions, UsageError } from "./options.ts";

test("without flags there are defaults", () => {
  expect(readOptions([])).toEqual({ events: defaultEvents, keep: false });
});

test("flags are read", () => {
  expect(readOptions(["--events", "20000", "--keep"])).toEqual({ events: 20_000, keep: true });
  expect(readOptions(["--help"])).toBe("help");
});

test.each([[["--events", "many"]], [["--events", "10"]], [["--events", "1.5"]], [["--evnts", "300"]], [["extra"]]])(
  "%j is refused",
  (argv) => {
    expect(() => readOptions(argv)).toThrow(UsageError);
  },
);
