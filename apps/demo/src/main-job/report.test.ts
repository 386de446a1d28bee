import { expect, test } from "vitest";
import { percentile } from "./percentile.ts";
import { findingsTable } from "./report.ts";

test("a wrong number stands out in the table, with its note", () => {
  const lines = findingsTable([
    { what: "saved", expected: "1840", found: 1840, ok: true, note: "" },
    { what: "left in the queue", expected: "0", found: 2, ok: false, note: "they wait" },
  ]);
  expect(lines).toEqual([
    "                     expected  found",
    "  saved                 1,840  1,840  ok",
    "  left in the queue         0      2  WRONG  they wait",
  ]);
});

test("a percentile is a value that occurred", () => {
  const values = [5, 1, 4, 2, 3];
  expect([percentile(values, 0), percentile(values, 50), percentile(values, 99), percentile([7], 50)]).toEqual([
    1, 3, 5, 7,
  ]);
});

test("of nothing there is no percentile", () => {
  expect(percentile([], 50)).toBeNaN();
});
