import { expect, test } from "vitest";
import type { History, LogEvent } from "./history.ts";
import { recoveryTimes } from "./verdict.ts";

const dead = 1;
const other = 2;
const diedAt = 1000;

/** What became of one message. */
function historyOf(events: readonly LogEvent[]): History {
  return { traces: new Map([["a", { events }]]) } as unknown as History;
}

function start(pid: number, at: number): LogEvent {
  return { e: "start", id: "a", pid, at };
}

test("what a process was running is back when another one starts it", () => {
  expect(recoveryTimes(historyOf([start(dead, 900), start(other, 1300)]), dead, diedAt)).toEqual([300]);
});

test("what nobody started again never came back", () => {
  expect(recoveryTimes(historyOf([start(dead, 900)]), dead, diedAt)).toEqual([Infinity]);
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
