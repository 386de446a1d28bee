import { expect, test } from "vitest";
import { Prefetch } from "./prefetch.ts";

function after(ms: number, concurrency = 10, fixed?: number): number {
  const prefetch = new Prefetch(concurrency, fixed);
  for (let run = 0; run < 200; run += 1) prefetch.ran(ms);
  return prefetch.size;
}

test("nothing is held ahead before a run was measured, and for tasks that take longer than a fetch", () => {
  expect(new Prefetch(10, undefined).size).toBe(10);
  expect(after(50)).toBe(10);
  expect(after(3)).toBe(10);
});

test("very short tasks get the most that may be held, never more", () => {
  expect(after(0.02)).toBe(510);
  expect(after(0, 1)).toBe(501);
});

test("one slow run among short ones takes the surplus back", () => {
  const prefetch = new Prefetch(10, undefined);
  for (let run = 0; run < 200; run += 1) prefetch.ran(0.02);
  prefetch.ran(1000);
  expect(prefetch.size).toBe(10);
});

test("a fixed number is what it says", () => {
  expect(after(0.02, 10, 0)).toBe(10);
  expect(after(1000, 10, 5)).toBe(15);
});
