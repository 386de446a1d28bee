import { expect, test } from "vitest";
import * as fc from "fast-check";
import { MinHeap } from "./min-heap.ts";

const heapOf = (numbers: readonly number[]): MinHeap<number> => {
  const heap = new MinHeap<number>((a, b) => a < b);
  for (const number of numbers) heap.push(number);
  return heap;
};

const drain = (heap: MinHeap<number>): (number | undefined)[] => Array.from({ length: heap.size }, () => heap.pop());

test("hands out everything, smallest first", () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), (numbers) => {
      const sorted = numbers.toSorted((a, b) => a - b);
      expect(heapOf(numbers).sorted()).toEqual(sorted);
      expect(drain(heapOf(numbers))).toEqual(sorted);
    }),
  );
});

test("keeps only what matches", () => {
  const heap = heapOf([5, 2, 8, 1, 4]);
  heap.keep((number) => number % 2 === 0);
  expect(heap.peek()).toBe(2);
  expect(drain(heap)).toEqual([2, 4, 8]);
  expect(heap.pop()).toBeUndefined();
});
