import { expect, test } from "vitest";
import { takeInTurns } from "./turns.ts";

function takenFrom(stock: Record<string, number>, turns: readonly string[], max: number): Record<string, number> {
  const left = { ...stock };
  const taken: Record<string, number> = {};
  takeInTurns(turns, max, (turn, limit) => {
    const count = Math.min(limit, left[turn] ?? 0);
    left[turn] = (left[turn] ?? 0) - count;
    taken[turn] = (taken[turn] ?? 0) + count;
    return count;
  });
  return taken;
}

test("each queue gives the same share while it has enough", () => {
  expect(takenFrom({ a: 100, b: 100 }, ["a", "b"], 10)).toEqual({ a: 5, b: 5 });
});

test("a queue that is named twice gives twice as much", () => {
  expect(takenFrom({ a: 100, b: 100 }, ["a", "a", "b"], 9)).toEqual({ a: 6, b: 3 });
});

test("what one queue lacks the others make up for", () => {
  expect(takenFrom({ a: 2, b: 0, c: 100 }, ["a", "b", "c"], 10)).toEqual({ a: 2, b: 0, c: 8 });
});

test("an empty queue whose turn it is does not cost the turn of the next", () => {
  expect(takenFrom({ a: 0, b: 3 }, ["a", "b"], 1)).toEqual({ a: 0, b: 1 });
});

test("never more than max are taken, and nothing is taken from nobody", () => {
  expect(takenFrom({ a: 9, b: 9, c: 9 }, ["a", "b", "c"], 2)).toEqual({ a: 1, b: 1 });
  expect(takenFrom({}, [], 5)).toEqual({});
});
