import { expect, test } from "vitest";
import { prioritySteps } from "./keys.ts";
import { inverted, listOf } from "./priority.ts";

test("our priorities, higher first, are Celery's, lower first", () => {
  const ours = [9, 8, 7, 6, 5, 4, 3, 2, 1, 0];
  expect(ours.map(inverted)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(ours.map((priority) => prioritySteps[listOf(inverted(priority))])).toEqual([0, 0, 0, 3, 3, 3, 6, 6, 6, 9]);
});

test("a priority comes back as it was", () => {
  const all = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
  expect(all.map((priority) => inverted(inverted(priority)))).toEqual(all);
});

test("a priority out of range counts as the nearest", () => {
  expect([-5, 12, 1e9, -Infinity, Infinity, 2.9].map(inverted)).toEqual([9, 0, 0, 9, 0, 7]);
  expect([-5, 12, 1e9].map(listOf)).toEqual([0, 3, 3]);
});

test("what is no number is in the plain list, as Celery has it", () => {
  expect([undefined, null, "high", {}, Number.NaN].map(listOf)).toEqual([0, 0, 0, 0, 0]);
});
