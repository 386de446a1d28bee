import { expect, test } from "vitest";
import { Restarts, type ProcessEnd } from "./restarts.ts";

const early: ProcessEnd = { code: 1, livedMs: 50, isUsedUp: false };
const late: ProcessEnd = { code: 1, livedMs: 60_000, isUsedUp: false };

function delaysOf(restarts: Restarts, ends: readonly ProcessEnd[]): number[] {
  return ends.map((end) => restarts.after(end).delayMs);
}

test("early deaths in a row are waited for longer and longer, up to 10 s", () => {
  const delays = delaysOf(
    new Restarts(() => 1),
    Array.from({ length: 9 }, () => early),
  );
  expect(delays).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
});

test("processes that died together come back apart: up to half of the wait is left out", () => {
  expect(delaysOf(new Restarts(() => 0), [early, early])).toEqual([50, 100]);
});

test("a process that is used up is replaced at once, however short its life, and is no early death", () => {
  const usedUp: ProcessEnd = { code: 0, livedMs: 50, isUsedUp: true };
  const restarts = new Restarts(() => 1);
  expect(delaysOf(restarts, [early, early, usedUp, early])).toEqual([100, 200, 0, 100]);
});

test("one that ends well is replaced at once after 10 s, and waited for before", () => {
  const restarts = new Restarts(() => 1);
  expect(delaysOf(restarts, [{ ...late, code: 0 }])).toEqual([0]);
  expect(delaysOf(restarts, [{ ...early, code: 0 }, early])).toEqual([100, 200]);
});

test("a late death ends the row", () => {
  const restarts = new Restarts(() => 1);
  expect(delaysOf(restarts, [early, early, late, early])).toEqual([100, 200, 100, 100]);
});

test("the fifth early death in a row is a loop, which is said once until one has lived", () => {
  const restarts = new Restarts(() => 1);
  const loops = (count: number): boolean[] => Array.from({ length: count }, () => restarts.after(early).isLoop);
  expect(loops(7)).toEqual([false, false, false, false, true, false, false]);
  restarts.after(late);
  expect(loops(5)).toEqual([false, false, false, false, true]);
});
