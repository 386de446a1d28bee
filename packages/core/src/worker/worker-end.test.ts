import type { StandardSchemaV1 } from "@standard-schema/spec";
import { expect, test } from "vitest";
import { z } from "zod";
import type { ConsumeOptions, Consumer } from "../broker/broker.ts";
import type { Delivery, Settled } from "../broker/delivery.ts";
import { createApp, Ignore, retry, type TaskContext, type TaskOptions, type WorkerEvent } from "../index.ts";
import { MemoryBroker, MemoryStore } from "../testing/index.ts";

/** Takes every message for a suspect, and records its start, or its end, only when the test lets it. */
class SlowBroker extends MemoryBroker {
  letStart = (): void => {};
  letEnd = (): void => {};
  readonly #waitsForStart: boolean;

  constructor({ slowTo }: { readonly slowTo: "start" | "end" }) {
    super(new MemoryStore());
    this.#waitsForStart = slowTo === "start";
  }

  override consume(
    queues: readonly string[],
    options: ConsumeOptions,
    onDelivery: (delivery: Delivery) => void,
  ): Promise<Consumer> {
    return super.consume(queues, options, (delivery) =>
      onDelivery({
        message: delivery.message,
        crashes: 1,
        lost: delivery.lost,
        start: () =>
          this.#waitsForStart
            ? new Promise<Settled>((resolve) => (this.letStart = () => resolve("settled")))
            : delivery.start(),
        settle: async (outcome) => {
          if (!this.#waitsForStart) await new Promise<void>((resolve) => (this.letEnd = resolve));
          return await delivery.settle(outcome);
        },
      }),
    );
  }
}

function setUp(broker: MemoryBroker = new MemoryBroker(new MemoryStore())) {
  const app = createApp({ queues: ["default"], broker });
  const events: WorkerEvent[] = [];
  const worker = app.createWorker({ shutdownTimeout: "1s", onEvent: (event) => events.push(event) });
  const endings = (): string[] => events.map(({ type }) => type).filter((type) => /^task\.(?!started)/.test(type));
  const stats = () => broker.inspector.stats("default");
  return { app, worker, endings, stats };
}

/** Runs one message until the worker tells its handler to stop, upon which the handler throws what the test wants. */
async function stopWhileRunning(options: Partial<TaskOptions<"default">>, onAbort: (context: TaskContext) => Error) {
  const found = setUp();
  const { app, worker } = found;
  const task = app.instrumentedTask({ name: "t.x", ...options }, async (_args: object, context) => {
    await new Promise((_resolve, reject) => {
      context.signal.addEventListener("abort", () => reject(onAbort(context)));
    });
  });
  await worker.start();
  await task.delay();
  await expect.poll(() => worker.running().length).toBe(1);
  const { unfinished } = await worker.stop();
  const stats = await found.stats();
  await app.close();
  return { unfinished, endings: found.endings(), stats };
}

test("a task that ends because the worker stops goes back, and is counted as unfinished", async () => {
  const { unfinished, endings, stats } = await stopWhileRunning({}, ({ signal }) => signal.reason as Error);
  expect([unfinished, endings, stats]).toMatchObject([1, ["task.released"], { ready: 1 }]);
});

test("what a handler decides while the worker stops is respected", async () => {
  const ignored = await stopWhileRunning({}, () => new Ignore());
  expect([ignored.endings, ignored.stats]).toMatchObject([["task.ignored"], { ready: 0, delayed: 0 }]);
  const retried = await stopWhileRunning({}, (context) => context.retry({ delay: "1h" }));
  expect([retried.endings, retried.stats]).toMatchObject([["task.retried"], { ready: 0, delayed: 1 }]);
});

test("an at-most-once message is not handed back by a stopping worker: it is gone, and that is told", async () => {
  const polite = await stopWhileRunning({ delivery: "at-most-once" }, () => new Error("interrupted"));
  expect([polite.endings, polite.stats]).toMatchObject([["task.dead"], { ready: 0 }]);
  const { app, worker, endings } = setUp();
  const task = app.instrumentedTask({ name: "t.hang", delivery: "at-most-once" }, () => new Promise(() => {}));
  await worker.start();
  await task.delay();
  await expect.poll(() => worker.running().length).toBe(1);
  expect(await worker.abort()).toEqual({ unfinished: 1 });
  expect(endings()).toEqual(["task.dead"]);
  await app.close();
});

test("a suspect whose start is recorded after the worker was told to stop goes back, and does not run", async () => {
  const broker = new SlowBroker({ slowTo: "start" });
  const { app, worker, stats } = setUp(broker);
  let runs = 0;
  const task = app.instrumentedTask({ name: "t.suspect" }, () => {
    runs += 1;
  });
  await worker.start();
  await task.delay();
  await expect.poll(() => worker.stats().busy).toBe(1);
  const stopping = worker.stop();
  await new Promise((resolve) => setImmediate(resolve));
  broker.letStart();
  await stopping;
  expect(runs).toBe(0);
  expect(await stats()).toMatchObject({ ready: 1, inFlight: 0 });
  await app.close();
});

test("a suspect does not run before the outcome of the one before it is stored", async () => {
  const broker = new SlowBroker({ slowTo: "end" });
  const { app, worker, endings } = setUp(broker);
  const runs: number[] = [];
  const task = app.instrumentedTask({ name: "t.suspect" }, ({ number }: { number: number }) => {
    runs.push(number);
  });
  await Promise.all([1, 2].map((number) => task.delay({ number })));
  await worker.start();
  await expect.poll(() => runs).toEqual([1]);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect([runs, endings()]).toEqual([[1], []]);
  broker.letEnd();
  await expect.poll(() => runs).toEqual([1, 2]);
  expect(endings()).toEqual(["task.succeeded"]);
  broker.letEnd();
  await worker.stop();
  expect(endings()).toEqual(["task.succeeded", "task.succeeded"]);
  await app.close();
});

test("a message that was handed back while its arguments were checked does not run", async () => {
  const { app, worker, endings } = setUp();
  let runs = 0;
  let accept = (): void => {};
  let checks = 0;
  const args: StandardSchemaV1<object> = {
    "~standard": {
      version: 1,
      vendor: "test",
      validate(value) {
        checks += 1;
        const accepted = { value: value as object };
        // At the send at once, in the worker when the test says so.
        return checks === 1 ? accepted : new Promise((resolve) => (accept = () => resolve(accepted)));
      },
    },
  };
  const task = app.instrumentedTask({ name: "t.checked", args }, () => {
    runs += 1;
  });
  await worker.start();
  await task.delay({});
  await expect.poll(() => checks).toBe(2);
  expect(await worker.abort()).toEqual({ unfinished: 1 });
  accept();
  await new Promise((resolve) => setImmediate(resolve));
  expect([runs, endings()]).toEqual([0, ["task.released"]]);
  await app.close();
});

test("an error whose fields cannot be read is one like any other", async () => {
  const { app, worker, endings, stats } = setUp();
  const trap = () => {
    throw new Error("hands off");
  };
  const thrown = [
    Object.defineProperty(new Error("named"), "name", { get: trap }),
    new Proxy({}, { get: trap, getPrototypeOf: trap }),
    undefined,
    Object.create(null) as unknown,
  ];
  const task = app.instrumentedTask({ name: "t.odd", retry: retry({ on: [TypeError, "Odd"] }) }, (args: object) => {
    throw thrown[(args as { n: number }).n];
  });
  await worker.start();
  for (const n of thrown.keys()) await task.delay({ n });
  await expect.poll(stats).toMatchObject({ dead: thrown.length, inFlight: 0 });
  expect(endings()).toEqual(thrown.map(() => "task.dead"));
  await worker.stop();
  await app.close();
});

test("wrong arguments for another task are an error of the handler, not of its own arguments", async () => {
  const { app, worker, stats } = setUp();
  const other = app.instrumentedTask({ name: "t.other", args: z.object({ id: z.number() }) }, () => {});
  const task = app.instrumentedTask({ name: "t.caller", retry: retry() }, async () => {
    await other.delay({} as never);
  });
  await worker.start();
  await task.delay();
  await expect.poll(stats).toMatchObject({ delayed: 1, dead: 0 });
  await worker.stop();
  await app.close();
});

test("a stopping worker does not wait for what it has given up", async () => {
  const { app, worker, endings } = setUp();
  const task = app.instrumentedTask({ name: "t.stuck", timeLimit: "20ms" }, () => new Promise(() => {}));
  await worker.start();
  await task.delay();
  await expect.poll(endings).toEqual(["task.overdue", "task.dead"]);
  const began = performance.now();
  expect(await worker.stop({ timeoutMs: 60_000 })).toEqual({ unfinished: 0 });
  expect(performance.now() - began).toBeLessThan(10_000);
  await app.close();
});
