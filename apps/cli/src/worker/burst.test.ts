import { createApp, type App, type Worker, type WorkerEvent } from "@q/core";
import { memoryBroker } from "@q/core/testing";
import { expect, onTestFinished, test } from "vitest";
import { Burst } from "./burst.ts";

interface RunningBurst {
  readonly burst: Burst;
  readonly worker: Worker;
  readonly isOver: () => boolean;
}

async function burstOf(app: App, options: { idleMs: number; max?: number }): Promise<RunningBurst> {
  let isOver = false;
  const listeners: ((event: WorkerEvent) => void)[] = [];
  const onEvent = (event: WorkerEvent): void => listeners.forEach((listen) => listen(event));
  const worker = app.createWorker({ concurrency: 1, prefetch: 0, onEvent });
  const onOver = (): void => {
    isOver = true;
    void worker.stop();
  };
  const { idleMs, max } = options;
  const burst = new Burst({ worker, inspector: app.broker.inspector, idleMs, max, onOver });
  listeners.push((event) => burst.onEvent(event));
  onTestFinished(async () => {
    burst.stop();
    await worker.stop();
    await app.close();
  });
  await worker.start();
  return { burst, worker, isOver: () => isOver };
}

async function appWith(handler: () => unknown, sends: number): Promise<App> {
  const app = createApp({ broker: memoryBroker(), queues: ["one"] });
  app.instrumentedTask({ name: "task" }, handler);
  for (let sent = 0; sent < sends; sent += 1) await app.sendTask("task");
  return app;
}

test("a burst is over when everything that was there has run", async () => {
  let ran = 0;
  const app = await appWith(() => (ran += 1), 20);
  const { burst, isOver } = await burstOf(app, { idleMs: 50 });
  burst.start();
  await expect.poll(isOver).toBe(true);
  expect(ran).toBe(20);
});

test("a task that takes longer than the idle time does not end it", async () => {
  let finish: () => void = () => {};
  const app = await appWith(() => new Promise<void>((resolve) => (finish = resolve)), 1);
  const { burst, worker, isOver } = await burstOf(app, { idleMs: 1 });
  await expect.poll(() => worker.stats().busy).toBe(1);
  burst.start();
  // Long enough for it to have looked several times.
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(isOver()).toBe(false);
  finish();
  await expect.poll(isOver).toBe(true);
});

test("time in which the event loop was blocked is not idle time", async () => {
  let now = 0;
  let looks = 0;
  let isOver = false;
  const stats = () => ({ busy: 0, finished: (looks += 1), startedAt: 0 });
  const onOver = (): void => void (isOver = true);
  const options = { worker: { queues: ["one"], stats }, inspector: undefined, idleMs: 1000, max: undefined };
  const burst = new Burst({ ...options, onOver, now: () => now });
  onTestFinished(() => burst.stop());
  burst.start();
  now = 60_000;
  await expect.poll(() => looks).toBeGreaterThan(0);
  expect(isOver).toBe(false);
  now += 1000;
  await expect.poll(() => isOver).toBe(true);
});

test("it is over after a number of attempts, with the rest left in the queue", async () => {
  let ran = 0;
  const app = await appWith(() => (ran += 1), 20);
  const { burst, worker } = await burstOf(app, { idleMs: 10_000, max: 3 });
  burst.start();
  await expect.poll(() => worker.state).toBe("stopped");
  expect(ran).toBe(3);
});
