import { expect, test } from "vitest";
import { Tally } from "./tally.ts";

const facts = { id: "1", task: "t", queue: "q", retries: 0, crashes: 0 };
const ok = { ...facts, type: "task.succeeded", ms: 1, waitMs: null } as const;
const dead = { ...facts, type: "task.dead", ms: 1, reason: { code: "failed", message: "x" } } as const;

test("counts ended attempts of the last minute and the share that failed", () => {
  let now = 0;
  const tally = new Tally(() => now);
  for (let count = 0; count < 3; count += 1) tally.count(ok);
  now = 30_000;
  tally.count(dead);
  expect(tally.lastMinute()).toEqual({ ended: 4, failing: 0.25 });
  now = 65_000;
  expect(tally.lastMinute()).toEqual({ ended: 1, failing: 1 });
  now = 200_000;
  expect(tally.lastMinute()).toEqual({ ended: 0, failing: 0 });
});

test("what only begins is not counted", () => {
  const tally = new Tally(() => 0);
  tally.count({ ...facts, type: "task.started" });
  expect(tally.lastMinute().ended).toBe(0);
});
