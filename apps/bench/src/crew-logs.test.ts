import { expect, test } from "vitest";
import { checkEachOnce, teamwork } from "./crew-logs.ts";
import type { WorkRecord } from "./work-log.ts";

/** Tasks that begin at those times, in milliseconds; the time is also the id. */
function log(...times: readonly number[]): readonly WorkRecord[] {
  return times.map((ms) => ({ what: "begun", id: ms, atUs: ms * 1000 }));
}

test("work together is measured from when all have begun", () => {
  expect(teamwork([log(1, 2, 3, 8), log(5, 6, 9)], 0)).toEqual({ tasks: 3, ms: 4 });
});

test("tasks before the end of the warm-up do not count, whoever runs them", () => {
  expect(teamwork([log(1, 3, 5, 7), log(2, 4, 6, 8)], 4)).toEqual({ tasks: 3, ms: 3 });
});

test("a worker that got no task is no part of it", () => {
  expect(teamwork([log(1, 2, 3), []], 0)).toEqual({ tasks: 2, ms: 2 });
});

test("a task that ran nowhere, or twice, or that nobody sent, is an error", () => {
  expect(() => checkEachOnce([log(1, 2), log(3)], 3)).not.toThrow();
  expect(() => checkEachOnce([log(1, 2), []], 3)).toThrow("got 2 starts of 2 tasks");
  expect(() => checkEachOnce([log(1, 2), log(2, 3)], 3)).toThrow("got 4 starts of 3 tasks");
  expect(() => checkEachOnce([log(1, 2), log(2)], 3)).toThrow("got 3 starts of 2 tasks");
});
