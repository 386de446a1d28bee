import { expect, test } from "vitest";
import { IntervalTiming } from "./timing.ts";

test("an interval counts from 1970, whenever anybody started", () => {
  const timing = new IntervalTiming(90_000);
  expect(timing.next(0)).toBe(90_000);
  expect(timing.next(89_999)).toBe(90_000);
  expect(timing.next(90_000)).toBe(180_000);
  expect((timing.next(Date.UTC(2030, 5, 5, 5, 5, 5)) ?? 0) % 90_000).toBe(0);
});

test("its latest ticks end with the range, oldest first, no more than asked for", () => {
  const timing = new IntervalTiming(1000);
  expect(timing.latest({ afterMs: 2000, untilMs: 5999, most: 9 })).toEqual([3000, 4000, 5000]);
  expect(timing.latest({ afterMs: 0, untilMs: 5000, most: 2 })).toEqual([4000, 5000]);
  expect(timing.latest({ afterMs: 5000, untilMs: 5000, most: 2 })).toEqual([]);
  expect(timing.latest({ afterMs: 9000, untilMs: 5000, most: 2 })).toEqual([]);
});
