import { createApp } from "@q/core";
import { memoryBroker } from "@q/core/testing";
import { expect, onTestFinished, test } from "vitest";
import { pingWorkers } from "./ping-workers.ts";

test("every worker that runs answers with its release, slots and queues", async () => {
  const app = createApp({ broker: memoryBroker(), queues: ["one", "two"] });
  onTestFinished(() => app.close());
  const workers = [
    app.createWorker({ name: "b", release: "41c09e", queues: ["two"], concurrency: 3 }),
    app.createWorker({ name: "a", queues: ["one", "one", "two"] }),
  ];
  for (const worker of workers) {
    await worker.start();
    onTestFinished(() => worker.stop().then(() => {}));
  }
  const replies = await pingWorkers(app.broker, 50);
  expect(replies).toMatchObject([
    { worker: "a", release: null, queues: ["one", "two"], slots: 10, busy: 0, pid: process.pid },
    { worker: "b", release: "41c09e", queues: ["two"], slots: 3 },
  ]);
});

test("a worker says how many runs ended in the last minute, by queue", async () => {
  const app = createApp({ broker: memoryBroker(), queues: ["one", "two"] });
  onTestFinished(() => app.close());
  const task = app.instrumentedTask({ name: "t.any" }, () => {});
  const worker = app.createWorker({ name: "a" });
  await worker.start();
  onTestFinished(() => worker.stop().then(() => {}));
  for (const queue of ["one", "two", "one"]) await task.applyAsync({}, { queue });
  await expect.poll(() => worker.stats().finished).toBe(3);
  const counts = { one: 2, two: 1 };
  expect(await pingWorkers(app.broker, 50)).toMatchObject([{ finishedPerMinute: new Map(Object.entries(counts)) }]);
});

test("nobody answers where no worker runs", async () => {
  const app = createApp({ broker: memoryBroker(), queues: ["one"] });
  onTestFinished(() => app.close());
  await app.open();
  expect(await pingWorkers(app.broker, 20)).toEqual([]);
});
