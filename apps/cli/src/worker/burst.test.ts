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
  const burst = new Burst({
    worker,
    inspector: app.broker.inspector,
    idleMs,
    max,
    onFull: () => void worker.pause(),
    onOver,
  });
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

/** A worker whose work the test makes up, on a clock of the test's. */
function madeUp(idleMs: number) {
  const state = { now: 0, busy: 0, looks: 0, isOver: false };
  const stats = () => {
    state.looks += 1;
    return { busy: state.busy, finished: 0, startedAt: 0 };
  };
  const onOver = (): void => void (state.isOver = true);
  const worker = { queues: ["one"], stats, running: () => [] };
  const now = (): number => state.now;
  const burst = new Burst({ worker, inspector: undefined, idleMs, max: undefined, onFull: () => {}, onOver, now });
  onTestFinished(() => burst.stop());
  return { burst, state };
}

test("a task that takes longer than the idle time does not end it", async () => {
  const { burst, state } = madeUp(1000);
  state.busy = 1;
  burst.start();
  await expect.poll(() => state.looks).toBeGreaterThan(0);
  state.now = 60_000;
  await expect.poll(() => state.looks).toBeGreaterThan(2);
  expect(state.isOver).toBe(false);
  state.busy = 0;
  const before = state.looks;
  await expect.poll(() => state.looks).toBeGreaterThan(before);
  state.now += 1000;
  await expect.poll(() => state.isOver).toBe(true);
});

test("time in which the event loop was blocked is not idle time", async () => {
  const { burst, state } = madeUp(1000);
  burst.start();
  state.now = 60_000;
  await expect.poll(() => state.looks).toBeGreaterThan(0);
  expect(state.isOver).toBe(false);
  state.now += 1000;
  await expect.poll(() => state.isOver).toBe(true);
});

test("it is over after a number of attempts, with the rest left in the queue", async () => {
  let ran = 0;
  const app = await appWith(() => (ran += 1), 20);
  const { burst, worker } = await burstOf(app, { idleMs: 10_000, max: 3 });
  burst.start();
  await expect.poll(() => worker.state).toBe("stopped");
  expect(ran).toBe(3);
});

test.each([
  ["a number of attempts", { idleMs: 10_000, max: 1 }],
  ["an idle time", { idleMs: 50 }],
])("an attempt past its time limit, whose message is settled, is not waited for with %s", async (_what, limits) => {
  let leave: () => void = () => {};
  const app = createApp({ broker: memoryBroker(), queues: ["one"] });
  app.instrumentedTask({ name: "hangs", timeLimit: "50ms" }, () => new Promise<void>((resolve) => (leave = resolve)));
  onTestFinished(() => leave());
  await app.sendTask("hangs");
  const { burst, isOver } = await burstOf(app, limits);
  burst.start();
  await expect.poll(isOver).toBe(true);
});

test("a message that arrives while the broker is asked is not left to the shutdown timeout", async () => {
  const app = await appWith(() => {}, 0);
  const { inspector } = app.broker;
  if (inspector === undefined) throw new Error("expected an inspector");
  const state = { busy: 0, asked: 0, looks: 0, isOver: false };
  const stats = (queue: string): ReturnType<typeof inspector.stats> => {
    state.asked += 1;
    // The first time, the worker takes the last message just before the broker answers.
    if (state.asked === 1) state.busy = 1;
    return inspector.stats(queue);
  };
  await app.open();
  const workerStats = () => {
    state.looks += 1;
    return { busy: state.busy, finished: 0, startedAt: 0 };
  };
  const worker = { queues: ["one"], running: () => [], stats: workerStats };
  const onOver = (): void => void (state.isOver = true);
  const burst = new Burst({
    worker,
    // A burst asks it for nothing else.
    inspector: { ...inspector, stats },
    idleMs: 0,
    max: undefined,
    onFull: () => {},
    onOver,
  });
  onTestFinished(async () => {
    burst.stop();
    await app.close();
  });
  burst.start();
  await expect.poll(() => state.asked).toBe(1);
  await expect.poll(() => state.looks).toBeGreaterThan(4);
  expect(state.isOver).toBe(false);
  state.busy = 0;
  await expect.poll(() => state.isOver).toBe(true);
});
