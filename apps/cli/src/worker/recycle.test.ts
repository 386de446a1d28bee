import type { WorkerEvent } from "@q/core";
import { expect, test } from "vitest";
import { Recycle } from "./recycle.ts";

const started: WorkerEvent = { type: "task.started", id: "1", task: "t", queue: "q", retries: 0, crashes: 0 };

function recycleWith(limits: { maxTasks?: number; maxBytes?: number }, random = 0) {
  const reasons: string[] = [];
  const memory = { bytes: 0 };
  const { maxTasks, maxBytes } = limits;
  const recycle = new Recycle(
    { maxTasks, maxBytes, memory: () => memory.bytes, onUsedUp: (reason) => reasons.push(reason) },
    random,
  );
  return { recycle, memory, reasons };
}

test("a process is used up once, after its number of tasks", () => {
  const { recycle, reasons } = recycleWith({ maxTasks: 3 });
  for (let run = 0; run < 2; run += 1) recycle.onEvent(started);
  expect(reasons).toEqual([]);
  for (let run = 0; run < 5; run += 1) recycle.onEvent(started);
  expect(reasons).toEqual(["3 tasks, the limit is 3"]);
});

test("up to a fifth of the tasks is left out, so that workers do not end together", () => {
  const { recycle, reasons } = recycleWith({ maxTasks: 100 }, 1);
  for (let run = 0; run < 80; run += 1) recycle.onEvent(started);
  expect(reasons).toEqual(["80 tasks, the limit is 80"]);
});

test("a process is used up when it has too much memory", () => {
  const { recycle, memory, reasons } = recycleWith({ maxBytes: 500 * 1024 * 1024 });
  memory.bytes = 499 * 1024 * 1024;
  recycle.look();
  expect(reasons).toEqual([]);
  memory.bytes = 512 * 1024 * 1024;
  recycle.look();
  expect(reasons).toEqual(["512 MB of memory, the limit is 500 MB"]);
});

test("without limits nothing is ever used up", () => {
  const { recycle, memory, reasons } = recycleWith({});
  memory.bytes = 1e15;
  recycle.look();
  for (let run = 0; run < 1000; run += 1) recycle.onEvent(started);
  expect(reasons).toEqual([]);
});
