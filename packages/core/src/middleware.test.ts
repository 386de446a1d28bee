import { expect, test } from "vitest";
import { createApp, type Middleware } from "./index.ts";
import { MemoryBroker, MemoryStore, testApp } from "./testing/index.ts";

/** An app with one middleware, and how often its handler ran. */
function setUp(middleware: Omit<Middleware, "name">) {
  const app = createApp({ queues: ["default"], middleware: [{ name: "mine", ...middleware }] });
  const t = testApp(app);
  const runs: unknown[] = [];
  const task = app.instrumentedTask({ name: "t.x" }, async (args: object) => {
    runs.push(args);
    await new Promise((resolve) => setImmediate(resolve));
    if ("fail" in args) throw new Error("from the handler");
  });
  const dead = async (): Promise<unknown[]> =>
    (await t.inspector.deadLetters("default", { limit: 10 })).items.map(({ reason }) => reason.error?.["code"]);
  return { t, task, runs, dead };
}

test("a send that middleware does not pass on is an error, not a message that nobody has", async () => {
  const { t, task } = setUp({ send: async () => {} });
  await expect(task.delay()).rejects.toMatchObject({ code: "Q2023" });
  expect(t.messages).toEqual([]);
  await t.close();
});

test("a send whose error middleware keeps to itself is an error all the same", async () => {
  const broker = new MemoryBroker(new MemoryStore());
  const app = createApp({
    queues: ["default"],
    broker,
    middleware: [{ name: "mine", send: (_context, next) => next().catch(() => undefined) }],
  });
  const task = app.instrumentedTask({ name: "t.x" }, () => {});
  await app.open();
  broker.disconnect();
  await expect(task.delay()).rejects.toMatchObject({
    code: "Q2023",
    message: 'middleware "mine" kept an error of next to itself',
    cause: { code: "Q1101" },
  });
  await app.close();
});

test("a send that middleware passes on twice is stored once", async () => {
  const { t, task } = setUp({
    send: async (_context, next) => {
      await next();
      await next();
    },
  });
  await expect(task.delay()).rejects.toMatchObject({ code: "Q2023" });
  expect(t.messages).toHaveLength(1);
  await t.close();
});

test("a run that middleware does not pass on has not succeeded", async () => {
  const { t, task, runs, dead } = setUp({ run: async () => {} });
  await task.delay();
  await t.drain();
  expect([runs.length, await dead()]).toEqual([0, ["Q2023"]]);
  await t.close();
});

test("middleware cannot run a handler twice", async () => {
  const { t, task, runs, dead } = setUp({
    run: async (_context, next) => {
      await next();
      return await next();
    },
  });
  await task.delay();
  await t.drain();
  expect([runs.length, await dead()]).toEqual([1, ["Q2023"]]);
  await t.close();
});

test("a run whose middleware does not wait for the handler has not succeeded", async () => {
  const { t, task, runs, dead } = setUp({
    run: async (_context, next) => {
      void next();
    },
  });
  await task.delay({ fail: true });
  await t.drain();
  expect([runs.length, await dead()]).toEqual([1, ["Q2023"]]);
  await t.close();
});

test("a run that middleware gives up keeps its slot until the handler has ended", async () => {
  const run: Middleware["run"] = (_context, next) => Promise.race([next(), Promise.reject(new Error("too slow"))]);
  const app = createApp({ queues: ["default"], middleware: [{ name: "impatient", run }] });
  const t = testApp(app, { worker: { concurrency: 1 } });
  const steps: string[] = [];
  const task = app.instrumentedTask({ name: "t.x" }, async ({ id }: { id: string }) => {
    steps.push(`${id} begins`);
    await new Promise((resolve) => setImmediate(resolve));
    steps.push(`${id} ends`);
  });
  await task.delay({ id: "a" });
  await task.delay({ id: "b" });
  await t.drain();
  expect(steps).toEqual(["a begins", "a ends", "b begins", "b ends"]);
  expect((await t.inspector.deadLetters("default", { limit: 10 })).items).toHaveLength(2);
  await t.close();
});

test.each([
  ["that JSON cannot carry", () => ({ "x-size": 1n }), '"mine"["x-size"] is a BigInt'],
  ["that are promised", async () => ({ "x-size": 1 }), '"mine" is a Promise: await it'],
])("headers of middleware %s are refused before anything is sent", async (_, headers, what) => {
  const { t, task } = setUp({ headers: headers as never });
  await expect(task.delay()).rejects.toMatchObject({ code: "Q3002", message: expect.stringContaining(what) });
  expect(t.messages).toEqual([]);
  await t.close();
});
