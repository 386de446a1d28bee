import { expect, test } from "vitest";
import { Prefetch } from "./prefetch.ts";

/** A worker's prefetch, and how its time goes by: `runs` of the same length, one after the other's end, in `busy` slots at once; in all unless told. */
function setUp(
  concurrency = 10,
  fixed?: number,
  busy = concurrency,
): { prefetch: Prefetch; run: (ms: number, runs: number, bytes?: number) => number } {
  const prefetch = new Prefetch(concurrency, fixed);
  let now = 5000;
  return {
    prefetch,
    run(ms, runs, bytes = 100) {
      for (let index = 0; index < runs; index += 1) {
        now += ms;
        prefetch.ran(ms, now, busy, bytes);
      }
      return prefetch.size;
    },
  };
}

test("nothing is held ahead before a run was measured, and for tasks that take longer than a fetch", () => {
  expect(setUp().prefetch.size).toBe(10);
  expect(setUp().run(50, 200)).toBe(10);
  expect(setUp().run(3, 200)).toBe(10);
});

test("very short tasks get the most that may be held, never more", () => {
  expect(setUp().run(0.02, 10_000)).toBe(510);
  expect(setUp(1).run(0.001, 200_000)).toBe(501);
});

test("of large messages no more is held ahead than two megabytes, however many slots there are", () => {
  expect(setUp().run(0.02, 10_000, 10 * 1024)).toBe(10 + 204);
  expect(setUp(100).run(0.02, 10_000, 10 * 1024)).toBe(100 + 204);
  expect(setUp().run(0.02, 10_000, 3 * 1024 * 1024)).toBe(10);
  const { run } = setUp();
  run(0.02, 10_000);
  expect(run(0.02, 100_000, 100 * 1024)).toBe(10 + 20);
});

test("the first runs, which take long, do not lead to one size after the other", () => {
  const { run } = setUp();
  const sizes = new Set([run(3, 1), ...Array.from({ length: 100 }, () => run(0.02, 100))]);
  expect([...sizes]).toEqual([10, 510]);
});

test("one slow run among short ones takes the surplus back", () => {
  const { run } = setUp();
  run(0.02, 10_000);
  expect(run(1000, 1)).toBe(10);
});

test("tasks that have become longer take the surplus back within a second", () => {
  const { run } = setUp();
  run(0.02, 10_000);
  expect(run(50, 19)).toBe(510);
  expect(run(50, 1)).toBe(10);
});

test("a pause of the process among short runs changes nothing", () => {
  const { run } = setUp();
  run(0.02, 10_000);
  const sizes = new Set(Array.from({ length: 100 }, () => [run(20, 1), run(0.02, 1000)]).flat());
  expect([...sizes]).toEqual([510]);
});

test("a fixed number is what it says", () => {
  expect(setUp(10, 0).run(0.02, 10_000)).toBe(10);
  expect(setUp(10, 5).run(1000, 200)).toBe(15);
});

test("tasks that only compute count one by one, however many slots there are", () => {
  expect(setUp(100).run(1, 1000)).toBe(600);
  expect(setUp(100, undefined, 1).run(1, 1000)).toBe(100);
  expect(setUp(1).run(0.02, 10_000)).toBe(251);
  expect(setUp(100, undefined, 1).run(0.02, 10_000)).toBe(350);
});
