import { expect, test } from "vitest";
import { quantile, ratios, spreadOf } from "./statistics.ts";

const repeats = (values: readonly number[]): ReadonlyMap<number, number> => new Map(values.entries());

test("the median of an even number of values lies between the two in the middle", () => {
  expect(quantile([40, 10, 30, 20], 0.5)).toBe(25);
  expect(quantile([3, 1, 2], 0.5)).toBe(2);
});

test("a quantile that falls between two values is as near to each as it lies", () => {
  expect(quantile([0, 100], 0.99)).toBe(99);
  expect(quantile([7], 0.99)).toBe(7);
});

test("nothing has no median", () => {
  expect(() => quantile([], 0.5)).toThrow("at least one value");
});

test("a spread is sorted by size, not as text", () => {
  expect(spreadOf([100, 9, 20])).toEqual({ median: 20, min: 9, max: 100 });
});

test("ratios are taken within each repeat, and one without a partner has none", () => {
  expect(ratios(repeats([10, 30, 50]), repeats([5, 10]))).toEqual([2, 3]);
  expect(ratios(repeats([10, 30]), repeats([0, 10]))).toEqual([3]);
  expect(ratios(repeats([10, 30, 50]), new Map([[2, 25]]))).toEqual([2]);
});
