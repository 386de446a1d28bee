import { expect, test } from "vitest";
import { createApp, silentLogger, type WorkerEvent, type WorkerOptions } from "../index.ts";
import { MemoryBroker, MemoryStore } from "../testing/index.ts";

/** A worker on real time, and a second broker that looks at what it leaves behind. */
async function setUp(options: WorkerOptions = {}) {
  const store = new MemoryStore();
  const app = createApp({ queues: ["default"], broker: new MemoryBroker(store) });
  const events: WorkerEvent[] = [];
  const worker = app.createWorker({ ...options, onEvent: (event) => events.push(event) });
  const types = (): string[] => events.map(({ type }) => type);
  const stats = async () => {
    const looker = new MemoryBroker(store);
    await looker.open({ logger: silentLogger });
    const found = await looker.inspector.stats("default");
    await looker.close();
    return found;
  };
  return { app, worker, events, types, stats };
}

/** A promise and the function that resolves it. */
function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

test("what was lost while it waited for a slot does not run", async () => {
  const broker = new MemoryBroker(new MemoryStore());
  const app = createApp({ queues: ["default"], broker });
  const { opened, open } = gate();
  const runs: string[] = [];
  const task = app.instrumentedTask({ name: "t.wait" }, async ({ name }: { name: string }) => {
    runs.push(name);
    await opened;
  });
  const worker = app.createWorker({ concurrency: 1, prefetch: 2 });
  await worker.start();
  for (const name of ["first", "second", "third"]) await task.delay({ name });
  await expect.poll(() => broker.inspector.stats("default")).toMatchObject({ inFlight: 3 });
  broker.expire();
  open();
  await expect.poll(() => broker.inspector.stats("default")).toMatchObject({ ready: 0, inFlight: 0 });
  // Once more, which is what had begun.
  expect(runs.toSorted()).toEqual(["first", "first", "second", "third"]);
  await worker.stop();
  await app.close();
});

test("stop waits for what runs, and gives back what has not started", async () => {
  const { app, worker, types, stats } = await setUp({ concurrency: 1, prefetch: 5 });
  const { opened, open } = gate();
  let runs = 0;
  const task = app.instrumentedTask({ name: "t.wait" }, async () => {
    runs += 1;
    await opened;
  });
  await worker.start();
  await Promise.all([task.delay(), task.delay(), task.delay()]);
  await expect.poll(() => runs).toBe(1);
  const stopping = worker.stop();
  await expect.poll(() => types().includes("worker.stopping")).toBe(true);
  expect(await stats()).toMatchObject({ ready: 2, inFlight: 1 });
  open();
  expect(await stopping).toEqual({ unfinished: 0 });
  expect(await stats()).toMatchObject({ ready: 2, inFlight: 0 });
  expect(runs).toBe(1);
  expect(worker.state).toBe("stopped");
  await app.close();
});

test("what is not done in time is told so, and then handed back uncounted", async () => {
  const { app, worker, types, stats } = await setUp({ shutdownTimeout: "100ms" });
  let reason: unknown;
  const task = app.instrumentedTask({ name: "t.hang" }, (_args: object, ctx) => {
    ctx.signal.addEventListener("abort", () => {
      reason = ctx.signal.reason;
    });
    return new Promise(() => {});
  });
  await worker.start();
  await task.delay();
  await expect.poll(() => worker.running().length).toBe(1);
  expect(await worker.stop()).toEqual({ unfinished: 1 });
  expect(reason).toMatchObject({ code: "Q4005" });
  expect(types()).toContain("task.released");
  expect(await stats()).toMatchObject({ ready: 1, inFlight: 0, dead: 0 });
  await app.close();
});

test("a handler that ends because the worker stops is handed back, not failed", async () => {
  const { app, worker, types, stats } = await setUp({ shutdownTimeout: "1s" });
  const task = app.instrumentedTask({ name: "t.polite" }, async (_args: object, ctx) => {
    await new Promise((_resolve, reject) => {
      ctx.signal.addEventListener("abort", () => reject(new Error("aborted", { cause: ctx.signal.reason })));
    });
  });
  await worker.start();
  await task.delay();
  await expect.poll(() => worker.running().length).toBe(1);
  await worker.stop();
  expect(types()).toContain("task.released");
  expect(types()).not.toContain("task.dead");
  expect(await stats()).toMatchObject({ ready: 1, dead: 0 });
  await app.close();
});

test("abort hands everything back at once, also while stop is waiting", async () => {
  const { app, worker, stats } = await setUp({ shutdownTimeout: "1h" });
  const task = app.instrumentedTask({ name: "t.hang" }, () => new Promise(() => {}));
  await worker.start();
  await task.delay();
  await expect.poll(() => worker.running().length).toBe(1);
  const stopping = worker.stop();
  expect(await worker.abort()).toEqual({ unfinished: 1 });
  expect(await stopping).toEqual({ unfinished: 1 });
  expect(await stats()).toMatchObject({ ready: 1, inFlight: 0 });
  await app.close();
});

test("a paused worker takes nothing, and goes on when it is resumed", async () => {
  const { app, worker, stats } = await setUp();
  let runs = 0;
  const task = app.instrumentedTask({ name: "t.count" }, async () => {
    runs += 1;
  });
  await worker.start();
  await worker.pause();
  await task.delay();
  expect(await stats()).toMatchObject({ ready: 1 });
  expect(runs).toBe(0);
  await worker.resume();
  await expect.poll(() => runs).toBe(1);
  await worker.stop();
  await app.close();
});

test("stop works before start, and twice", async () => {
  const { app, worker } = await setUp();
  expect(await worker.stop()).toEqual({ unfinished: 0 });
  expect(await worker.stop()).toEqual({ unfinished: 0 });
  await worker.start();
  expect(worker.state).toBe("stopped");
  await app.close();
});

test("a worker that is stopped while it starts takes nothing", async () => {
  const { app, worker, stats } = await setUp();
  const task = app.instrumentedTask({ name: "t.never" }, () => {});
  await task.delay();
  const starting = worker.start();
  const stopping = worker.stop();
  await Promise.all([starting, stopping]);
  expect(await stats()).toMatchObject({ ready: 1, inFlight: 0, consumers: 0 });
  await app.close();
});

test("a worker whose broker was away can be started again", async () => {
  const store = new MemoryStore();
  const broker = new MemoryBroker(store);
  const app = createApp({ queues: ["default"], broker });
  const worker = app.createWorker();
  broker.disconnect();
  await expect(worker.start()).rejects.toMatchObject({ code: "Q1001" });
  broker.reconnect();
  await worker.start();
  expect(worker.state).toBe("running");
  await worker.stop();
  await app.close();
});

test("a listener that throws changes nothing for the message", async () => {
  const { app, stats } = await setUp();
  const worker = app.createWorker({
    onEvent: () => {
      throw new Error("from the listener");
    },
  });
  const task = app.instrumentedTask({ name: "t.x" }, () => {});
  await worker.start();
  await task.delay();
  await expect.poll(async () => (await stats()).ready).toBe(0);
  await expect.poll(async () => (await stats()).inFlight).toBe(0);
  await worker.stop();
  await app.close();
});

test("suspects that wait for their turn do not keep the slots from other work", async () => {
  const store = new MemoryStore({ recoveryMs: 1 });
  const dead = new MemoryBroker(store);
  await dead.open({ logger: silentLogger });
  const app = createApp({ queues: ["default"], broker: new MemoryBroker(store) });
  const { opened, open } = gate();
  const slow = app.instrumentedTask({ name: "t.slow" }, () => opened);
  let quickRuns = 0;
  const quick = app.instrumentedTask({ name: "t.quick" }, () => {
    quickRuns += 1;
  });
  await Promise.all(Array.from({ length: 8 }, () => slow.delay()));
  let held = 0;
  await dead.consume(["default"], { prefetch: 8 }, () => (held += 1));
  await expect.poll(() => held).toBe(8);
  dead.crash();

  const worker = app.createWorker({ concurrency: 4 });
  await worker.start();
  await expect.poll(() => worker.running().map(({ crashes }) => crashes)).toEqual([1]);
  await Promise.all(Array.from({ length: 20 }, () => quick.delay()));
  await expect.poll(() => quickRuns).toBe(20);
  expect(worker.running().map(({ task }) => task)).toEqual(["t.slow"]);
  open();
  await expect.poll(() => worker.stats().finished).toBe(28);
  await worker.stop();
  await app.close();
});

test("a worker answers a ping with what it is doing", async () => {
  const { app, worker } = await setUp({ name: "w1" });
  await worker.start();
  const replies: unknown[] = [];
  const control = app.broker.control;
  await control?.subscribe("worker-replies", (reply) => replies.push(reply));
  await control?.broadcast("workers", { command: "ping", ticket: "t1" });
  await expect
    .poll(() => replies)
    .toEqual([expect.objectContaining({ reply: "t1", worker: "w1", slots: 10, busy: 0, pid: process.pid })]);
  await worker.stop();
  await app.close();
});

test("10,000 tasks are each run once", async () => {
  const { app, worker, stats } = await setUp({ concurrency: 50 });
  const seen = new Set<number>();
  let runs = 0;
  const task = app.instrumentedTask({ name: "t.many" }, async ({ n }: { n: number }) => {
    seen.add(n);
    runs += 1;
  });
  await worker.start();
  await Promise.all(Array.from({ length: 10_000 }, (_, n) => task.delay({ n })));
  await expect.poll(() => runs, { timeout: 10_000 }).toBe(10_000);
  expect(seen.size).toBe(10_000);
  await worker.stop();
  expect(await stats()).toMatchObject({ ready: 0, inFlight: 0, dead: 0 });
  await app.close();
});

test("what cannot be read is dead with its reason, and its neighbours are done", async () => {
  const { app, worker, types, stats } = await setUp();
  let runs = 0;
  const task = app.instrumentedTask({ name: "t.good" }, () => {
    runs += 1;
  });
  await app.open();
  const good = { contentType: "application/json", contentEncoding: "utf-8" };
  const bodies: [string, typeof good][] = [
    ["\x80\x04pickled", { ...good, contentType: "application/x-python-serialize" }],
    ["[[], {}", good],
    ["[[], {}]", good],
    [`${"[".repeat(100_000)}${"]".repeat(100_000)}`, good],
  ];
  await app.broker.publish(
    bodies.map(([body, properties], index) => ({
      id: `bad-${index}`,
      queue: "default",
      priority: 0,
      headers: { task: "t.good", id: `bad-${index}` },
      properties,
      body: Buffer.from(body),
    })),
  );
  await task.delay();
  await worker.start();
  await expect.poll(stats).toMatchObject({ ready: 0, inFlight: 0, dead: bodies.length });
  expect(runs).toBe(1);
  expect(types().filter((type) => type === "task.dead")).toHaveLength(bodies.length);
  await worker.stop();
  await app.close();
});

test("a task that blocks the event loop is named", async () => {
  const { app, worker, events } = await setUp();
  const task = app.instrumentedTask({ name: "t.busy" }, () => {
    const until = performance.now() + 1600;
    while (performance.now() < until);
  });
  await worker.start();
  await task.delay();
  await expect
    .poll(() => events.filter(({ type }) => type === "worker.blocked"))
    .toEqual([expect.objectContaining({ tasks: ["t.busy"] })]);
  await worker.stop();
  await app.close();
});
