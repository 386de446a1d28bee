import { expect, test } from "vitest";
import { createApp, currentTask, type WorkerEvent } from "../index.ts";
import { MemoryBroker, MemoryStore } from "../testing/index.ts";

/** Runs a handler twice, in a worker with one slot, and answers how each run ended. */
async function endingsOf(handler: () => unknown): Promise<readonly string[]> {
  const app = createApp({ queues: ["default"], broker: new MemoryBroker(new MemoryStore()) });
  const task = app.instrumentedTask({ name: "t.thenable" }, handler);
  const events: WorkerEvent[] = [];
  const worker = app.createWorker({ concurrency: 1, onEvent: (event) => events.push(event) });
  const endings = (): string[] => events.map(({ type }) => type).filter((type) => /^task\.(?!started)/.test(type));
  await worker.start();
  await task.delay();
  await task.delay();
  await expect.poll(endings).toHaveLength(2);
  await worker.stop();
  await app.close();
  return endings();
}

test("a result that cannot be looked at fails its task, and the slot is free again", async () => {
  // oxlint-disable-next-line unicorn/no-thenable -- which is the point
  const unreadable = Object.defineProperty({}, "then", {
    get() {
      throw new Error("from the getter");
    },
  });
  expect(await endingsOf(() => unreadable)).toEqual(["task.dead", "task.dead"]);
});

test("a function that can be waited for is waited for, as by await", async () => {
  const rejecting = (): unknown =>
    Object.assign(() => {}, {
      // oxlint-disable-next-line unicorn/no-thenable -- which is the point
      then: (_resolve: unknown, reject: (error: Error) => void) => setImmediate(() => reject(new Error("too late"))),
    });
  expect(await endingsOf(rejecting)).toEqual(["task.dead", "task.dead"]);
});

test("a query that begins when it is waited for runs in the context of its task", async () => {
  const seen: (string | undefined)[] = [];
  const query = {
    // oxlint-disable-next-line unicorn/no-thenable -- which is the point
    then(resolve: () => void) {
      seen.push(currentTask()?.name);
      resolve();
    },
  };
  expect(await endingsOf(() => query)).toEqual(["task.succeeded", "task.succeeded"]);
  expect(seen).toEqual(["t.thenable", "t.thenable"]);
});
