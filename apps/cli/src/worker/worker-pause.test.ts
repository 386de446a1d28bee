import { createApp, silentLogger, type Logger, type Worker } from "@q/core";
import { memoryBroker } from "@q/core/testing";
import { expect, onTestFinished, test } from "vitest";
import { WorkerPause } from "./worker-pause.ts";

async function runningWorker(): Promise<Worker> {
  const app = createApp({ broker: memoryBroker(), queues: ["one"] });
  const worker = app.createWorker();
  onTestFinished(async () => {
    await worker.stop();
    await app.close();
  });
  await worker.start();
  return worker;
}

test("a pause is begun and ended, as often as one likes", async () => {
  const worker = await runningWorker();
  const pause = new WorkerPause(worker);
  for (const state of ["paused", "running", "paused", "running"]) {
    pause.toggle(silentLogger);
    expect(worker.state).toBe(state);
  }
});

test("one for good is ended by nobody, who hears why", async () => {
  const worker = await runningWorker();
  const pause = new WorkerPause(worker);
  const said: string[] = [];
  const logger: Logger = { ...silentLogger, info: (_fields, text) => void said.push(text) };
  pause.beginForGood(logger);
  expect(said).toEqual([]);
  pause.end(logger);
  pause.toggle(logger);
  expect(worker.state).toBe("paused");
  expect(said).toHaveLength(2);
  expect(said[0]).toContain("takes no more tasks");
});
