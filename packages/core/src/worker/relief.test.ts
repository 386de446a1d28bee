import { expect, test } from "vitest";
import { createApp, type WorkerOptions } from "../index.ts";
import { FakeClock, MemoryBroker, MemoryStore } from "../testing/index.ts";

/** Workers on one store, each with a broker of its own, in time that only the test lets pass. */
function setUp() {
  const clock = new FakeClock();
  const store = new MemoryStore({ clock });
  const broker = new MemoryBroker(store);
  const app = createApp({ queues: ["default"], broker, clock });
  const ends: (() => void)[] = [];
  const hang = (): Promise<void> => new Promise((resolve) => ends.push(resolve));
  const tasks = {
    short: app.instrumentedTask({ name: "t.short" }, () => undefined),
    long: app.instrumentedTask({ name: "t.long" }, hang),
    longAtMostOnce: app.instrumentedTask({ name: "t.once", delivery: "at-most-once" }, hang),
  };
  const startWorker = async (options: WorkerOptions) => {
    const worker = app.createWorker(options, new MemoryBroker(store));
    await worker.start();
    return worker;
  };
  const stats = () => broker.inspector.stats("default");
  return { app, clock, tasks, endOne: () => ends.shift()?.(), startWorker, stats };
}

test("short messages that are held behind a long one go to another worker, and the first goes on when it can", async () => {
  const { app, clock, tasks, endOne, startWorker, stats } = setUp();
  await app.open();
  const busy = await startWorker({ concurrency: 1 });
  const sendShort = async (count: number) =>
    app.sendMany(Array.from({ length: count }, () => tasks.short.signature({})));
  // It learns that they are short, and holds many.
  for (let round = 0; round < 3; round += 1) {
    await sendShort(20);
    await clock.advance("200ms");
  }
  await tasks.long.delay();
  await tasks.long.delay();
  await sendShort(50);
  await clock.advance("500ms");
  expect(await stats()).toMatchObject({ ready: 0, inFlight: 52 });
  await clock.advance("1s");
  expect(await stats()).toMatchObject({ ready: 51, inFlight: 1 });
  endOne();
  await clock.advance("100ms");
  // The second long one, and nothing behind it.
  expect(await stats()).toMatchObject({ ready: 50, inFlight: 1 });
  const idle = await startWorker({ concurrency: 1 });
  await clock.advance("100ms");
  expect(idle.stats().finished).toBe(50);
  await idle.stop();
  endOne();
  await clock.advance("100ms");
  await sendShort(5);
  await clock.advance("100ms");
  expect(busy.stats().finished).toBe(60 + 2 + 5);
  await busy.stop();
  await app.close();
});

test("what comes in place of an acknowledged message that still runs goes to another worker", async () => {
  const { app, clock, tasks, startWorker, stats } = setUp();
  await app.open();
  const busy = await startWorker({ concurrency: 2 });
  await Promise.all([tasks.longAtMostOnce.delay(), tasks.longAtMostOnce.delay()]);
  await clock.advance("100ms");
  await Promise.all([tasks.short.delay(), tasks.short.delay()]);
  await clock.advance("2s");
  expect(await stats()).toMatchObject({ ready: 2, inFlight: 0 });
  await busy.abort();
  await app.close();
});

test("a worker that was paused and resumed holds nothing behind what still runs", async () => {
  const { app, clock, tasks, endOne, startWorker, stats } = setUp();
  await app.open();
  const busy = await startWorker({ concurrency: 2 });
  await Promise.all([tasks.long.delay(), tasks.long.delay()]);
  await clock.advance("100ms");
  await busy.pause();
  await Promise.all([tasks.short.delay(), tasks.short.delay()]);
  await busy.resume();
  await clock.advance("2s");
  expect(await stats()).toMatchObject({ ready: 2, inFlight: 2 });
  // While it is paused, a free slot is none to be filled.
  await busy.pause();
  endOne();
  await clock.advance("1s");
  expect(await stats()).toMatchObject({ ready: 2, inFlight: 1 });
  await busy.resume();
  await clock.advance("1s");
  expect(await stats()).toMatchObject({ ready: 0, inFlight: 1 });
  endOne();
  await busy.stop();
  await app.close();
});

test("who says how many are to be held has them held", async () => {
  const { app, clock, tasks, endOne, startWorker, stats } = setUp();
  await app.open();
  const worker = await startWorker({ concurrency: 1, prefetch: 3 });
  await Promise.all([tasks.long.delay(), tasks.short.delay(), tasks.short.delay()]);
  await clock.advance("1m");
  expect(await stats()).toMatchObject({ ready: 0, inFlight: 3 });
  endOne();
  await worker.stop();
  await app.close();
});
