import { expect, test } from "vitest";
import type { History, LogEvent } from "./history.ts";
import { judge, recoveryTimes, unanswered } from "./verdict.ts";

const dead = 1;
const other = 2;
const diedAt = 1000;

/** What became of one message. */
function historyOf(events: readonly LogEvent[], isDead = false): History {
  return { traces: new Map([["a", { events, isDead }]]) } as unknown as History;
}

function start(pid: number, at: number, retries = 0): LogEvent {
  return { e: "start", id: "a", pid, at, retries };
}

test("what a process was running is back when another one starts it", () => {
  expect(recoveryTimes(historyOf([start(dead, 900), start(other, 1300)]), dead, diedAt)).toEqual([300]);
});

test("what nobody started again never came back", () => {
  expect(recoveryTimes(historyOf([start(dead, 900)]), dead, diedAt)).toEqual([Infinity]);
});

test("what is buried because too many died of it need not come back", () => {
  expect(recoveryTimes(historyOf([start(dead, 900)], true), dead, diedAt)).toEqual([]);
});

test("what it had done it was not running", () => {
  const done: LogEvent = { e: "done", id: "a", pid: dead, at: 950 };
  expect(recoveryTimes(historyOf([start(dead, 900), done]), dead, diedAt)).toEqual([]);
});

test("what others ran before is not what comes back", () => {
  const events = [start(other, 800), start(dead, 900)];
  expect(recoveryTimes(historyOf(events), dead, diedAt)).toEqual([Infinity]);
});

test("what it had put back, and others had begun, it was not running", () => {
  expect(recoveryTimes(historyOf([start(dead, 700), start(other, 990)]), dead, diedAt)).toEqual([]);
});

test("what has run has no answer until there is one, to whoever ran it last", () => {
  const done: LogEvent = { e: "done", id: "a", pid: dead, at: 950 };
  const acked: LogEvent = { e: "acked", id: "a", pid: dead, at: 960 };
  const again = start(other, 1300);
  expect(unanswered(historyOf([start(dead, 900)]), dead)).toBe(1);
  expect(unanswered(historyOf([start(dead, 900), done, again]), dead)).toBe(1);
  expect(unanswered(historyOf([start(dead, 900), done, acked, again]), dead)).toBe(0);
  expect(unanswered(historyOf([again]), dead)).toBe(0);
});

test("a second start of the same attempt is a duplicate, a retry is not", () => {
  const history = historyOf([start(dead, 900), start(other, 1300), start(other, 1400, 1)]);
  expect(judge(history)).toMatchObject({ duplicates: 1 });
  expect(judge(history, { mayRepeat: true })).toMatchObject({ duplicates: 1 });
});

test("where copies may exist, the retry of one is no duplicate of its own, and what is run once more is", () => {
  const twice = [start(dead, 900), start(dead, 950, 1), start(other, 1300), start(other, 1400, 1)];
  expect(judge(historyOf(twice))).toMatchObject({ duplicates: 2 });
  expect(judge(historyOf(twice), { mayRepeat: true })).toMatchObject({ duplicates: 1 });
  const again = [...twice, start(other, 1500, 1)];
  expect(judge(historyOf(again), { mayRepeat: true })).toMatchObject({ duplicates: 2 });
});
