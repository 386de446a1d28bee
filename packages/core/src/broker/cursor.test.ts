import * as fc from "fast-check";
import { expect, test } from "vitest";
import { readCursor, rowsFor, writeCursor } from "./cursor.ts";

const lists = { ready: 2, dead: 1 };

test("a place comes back from its cursor", () => {
  fc.assert(
    fc.property(
      fc.constantFrom("ready" as const, "dead" as const),
      fc.maxSafeInteger(),
      fc.maxSafeInteger(),
      (list, a, b) => {
        const place = { list, keys: [a, b].slice(0, lists[list]) };
        expect(readCursor(writeCursor(place), lists)).toEqual(place);
      },
    ),
  );
  expect(readCursor(undefined, lists)).toBeUndefined();
});

test.each(["", "ready", "ready.1", "ready.1.2.3", "ready.1.x", "ready.1.1e400", "dead.0.5.", "other.1", "toString.1"])(
  "%j is no cursor",
  (text) => {
    expect(() => readCursor(text, lists)).toThrow(expect.objectContaining({ code: "Q1013" }));
  },
);

test("a page is of 1 to 1000 rows, and one is read beyond it", () => {
  expect([0, 1, 2.9, 1000, 5000].map(rowsFor)).toEqual([2, 2, 3, 1001, 1001]);
});
