import { expect, test } from "vitest";
import { aftermath, endedIn } from "./aftermath.ts";
import type { WorkRecord } from "./work-log.ts";

function at(ms: number, what: WorkRecord["what"], id: number): WorkRecord {
  return { what, id, atUs: ms * 1000 };
}

/** Killed at 100 while it runs 2 and 3; 1 had ended. */
const killed = [at(10, "begun", 1), at(20, "begun", 2), at(30, "ended", 1), at(40, "begun", 3)];
const killedAtUs = 100_000;

test("what the killed worker had in hand runs again, and nothing is lost", () => {
  const other = [
    at(90, "begun", 4),
    at(110, "ended", 4),
    at(130, "begun", 2),
    at(140, "begun", 3),
    at(150, "ended", 3),
    at(160, "ended", 2),
  ];
  const expected = { lost: 0, runTwice: 2, againMs: 30, recoveredMs: 60 };
  expect(aftermath({ killed, other, killedAtUs, tasks: 4 })).toEqual(expected);
});

test("a task that had ended and runs again has run twice, but was not in hand", () => {
  const other = [at(110, "begun", 1), at(120, "ended", 1), at(130, "begun", 2)];
  expect(aftermath({ killed, other, killedAtUs, tasks: 3 })).toEqual({ lost: 2, runTwice: 2, againMs: 30 });
});

test("tasks that nobody ends are lost, and there is no recovery then", () => {
  const other = [at(110, "begun", 4), at(120, "ended", 4)];
  expect(aftermath({ killed, other, killedAtUs, tasks: 4 })).toEqual({ lost: 2, runTwice: 0 });
});

test("a task that has ended in two workers has ended once", () => {
  expect(endedIn(killed, [at(110, "ended", 1), at(120, "ended", 2)])).toBe(2);
});
