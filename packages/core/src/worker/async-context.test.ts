import { AsyncLocalStorage } from "node:async_hooks";
import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { createApp, currentTask, type Middleware } from "../index.ts";
import { MemoryBroker, MemoryStore } from "../testing/index.ts";

/** An app whose runs are traced as a tracing library does it: what is in the storage when a run begins becomes its parent. */
function setUp() {
  const spans = new AsyncLocalStorage<string>();
  const parents: (readonly [task: string, parent: string | undefined])[] = [];
  const tracing: Middleware = {
    name: "tracing",
    run: async (context, next) => {
      parents.push([context.name, spans.getStore()]);
      return await spans.run(context.name, next);
    },
  };
  const broker = new MemoryBroker(new MemoryStore());
  const app = createApp({ queues: ["default"], broker, middleware: [tracing] });
  const around: (readonly [task: string, current: string | undefined])[] = [];
  const worker = app.createWorker({
    onEvent: (event) => {
      if (event.type === "task.started") around.push([event.task, currentTask()?.name]);
    },
  });
  return { app, worker, parents, around };
}

test("a task that another one sends does not run inside of it", async () => {
  const { app, worker, parents, around } = setUp();
  const second = app.instrumentedTask({ name: "t.second" }, () => {});
  const first = app.instrumentedTask({ name: "t.first" }, async () => {
    // As after a query: by now the worker waits for messages again.
    await turn();
    await second.delay();
  });
  await worker.start();
  await first.delay();
  await expect.poll(() => parents.length).toBe(2);
  const outside = [
    ["t.first", undefined],
    ["t.second", undefined],
  ];
  expect([parents, around]).toEqual([outside, outside]);
  await worker.stop();
  await app.close();
});

test("nor do tasks run inside of one that has resumed the worker", async () => {
  const { app, worker, parents } = setUp();
  const second = app.instrumentedTask({ name: "t.second" }, () => {});
  const first = app.instrumentedTask({ name: "t.first" }, async () => {
    await worker.pause();
    await worker.resume();
  });
  await worker.start();
  await first.delay();
  await expect.poll(() => worker.stats().finished).toBe(1);
  await second.delay();
  await expect
    .poll(() => parents)
    .toEqual([
      ["t.first", undefined],
      ["t.second", undefined],
    ]);
  await worker.stop();
  await app.close();
});
