import type { WorkerEvent } from "@q/core";
import { expect, onTestFinished, test } from "vitest";
import { Recycle } from "./recycle.ts";

const started: WorkerEvent = { type: "task.started", id: "1", task: "t", queue: "q", retries: 0, crashes: 0 };

function recycleWith(limits: { maxTasks?: number; maxBytes?: number }, random = 0) {
  const reasons: string[] = [];
  const memory = { bytes: 0 };
  const state = { running: ["1"], looks: 0, done: 0 };
  const running = () => {
    state.looks += 1;
    return state.running.map((id) => ({ id, task: "t", queue: "q", startedAt: 0, crashes: 0 }));
  };
  const { maxTasks, maxBytes } = limits;
  const onUsedUp = (reason: string): void => void reasons.push(reason);
  const onDone = (): void => void (state.done += 1);
  const recycle = new Recycle(
    { worker: { running }, maxTasks, maxBytes, memory: () => memory.bytes, onUsedUp, onDone },
    random,
  );
  onTestFinished(() => recycle.stop());
  return { recycle, memory, reasons, state };
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

test("what runs is waited for, but not what runs on past its time limit", async () => {
  const { recycle, state } = recycleWith({ maxTasks: 1 });
  state.running = ["1", "2"];
  recycle.onEvent(started);
  await expect.poll(() => state.looks).toBeGreaterThan(2);
  expect(state.done).toBe(0);
  state.running = ["2"];
  recycle.onEvent({ ...started, type: "task.overdue", id: "2", ms: 1 });
  await expect.poll(() => state.done).toBe(1);
});

test("without limits nothing is ever used up", () => {
  const { recycle, memory, reasons } = recycleWith({});
  memory.bytes = 1e15;
  recycle.look();
  for (let run = 0; run < 1000; run += 1) recycle.onEvent(started);
  expect(reasons).toEqual([]);
});
