import { expect, test } from "vitest";
import { createApp, type Middleware, type SendOptions } from "./index.ts";
import { memoryBroker, testApp } from "./testing/index.ts";

test("a second send with the same key stores nothing until the key's time is over, and says so", async () => {
  const app = createApp({ queues: ["default", "email"] });
  const t = testApp(app);
  const task = app.instrumentedTask({ name: "t.keyed" }, (_args: { n: number }) => {});
  const send = (n: number, options: SendOptions) => task.applyAsync({ n }, { key: "order-7", ...options });
  expect(await send(1, {})).toMatchObject({ task: "t.keyed", queue: "default", duplicate: false });
  expect(await send(2, { taskId: "nobody-has-it" })).toEqual({
    id: "nobody-has-it",
    task: "t.keyed",
    queue: "default",
    duplicate: true,
  });
  expect(await send(3, { key: "order-8" })).toMatchObject({ duplicate: false });
  expect(await send(4, { queue: "email" })).toMatchObject({ duplicate: false });
  expect(await task.delay({ n: 5 })).toMatchObject({ duplicate: false });
  await t.advance("59m");
  expect(await send(6, {})).toMatchObject({ duplicate: true });
  await t.advance("1m");
  expect(await send(7, { keyTtl: "10s" })).toMatchObject({ duplicate: false });
  await t.advance("10s");
  expect(await send(8, {})).toMatchObject({ duplicate: false });
  expect(t.sent(task)).toEqual([1, 3, 4, 5, 7, 8].map((n) => ({ n })));
  await t.close();
});

test("sendMany tells the duplicates from the others, and middleware sees both", async () => {
  let seen = 0;
  const count: Middleware = {
    name: "count",
    send: async (_context, next) => {
      seen += 1;
      await next();
    },
  };
  const app = createApp({ queues: ["default"], middleware: [count] });
  const t = testApp(app);
  const task = app.instrumentedTask({ name: "t.keyed" }, (_args: object) => {});
  const sent = await app.sendMany(["a", "b", "a"].map((key) => task.signature({}, { key })));
  expect(sent.map(({ duplicate }) => duplicate)).toEqual([false, false, true]);
  expect([seen, t.messageCount]).toEqual([3, 2]);
  await t.close();
});

test("close sends what is waiting with a key", async () => {
  const broker = memoryBroker();
  const app = createApp({ queues: ["default"], broker });
  const sending = app.sendTask("t.keyed", {}, { key: "k" });
  await app.close();
  expect(await sending).toMatchObject({ duplicate: false });
  await expect(app.sendTask("t.keyed", {}, { key: "other" })).rejects.toMatchObject({ code: "Q1010" });
});

test("a broker that cannot send once per key refuses a key, and takes sends without", async () => {
  const broker = Object.assign(memoryBroker(), { once: undefined });
  const app = createApp({ queues: ["default"], broker });
  await expect(app.sendTask("t.keyed", {}, { key: "k" })).rejects.toMatchObject({
    code: "Q2025",
    message: "the memory broker cannot send once per key",
  });
  expect(await app.sendTask("t.keyed")).toMatchObject({ duplicate: false });
  await app.close();
});

test("an eager app runs a key once, also when that run fails", async () => {
  const app = createApp({ queues: ["default"], eager: true });
  let runs = 0;
  const task = app.instrumentedTask({ name: "t.keyed" }, () => {
    runs += 1;
    throw new Error("no");
  });
  await expect(task.applyAsync({}, { key: "k" })).rejects.toMatchObject({ code: "Q4008" });
  expect(await task.applyAsync({}, { key: "k" })).toMatchObject({ duplicate: true });
  expect(runs).toBe(1);
});

test.each([
  [{ key: "" }, "Q2017"],
  [{ key: "é".repeat(128) }, "Q2017"],
  [{ key: 7 }, "Q2017"],
  [{ key: "half a pair: \ud83d" }, "Q2017"],
  [{ keyTtl: "1h" }, "Q2017"],
  [{ key: "k", keyTtl: "0s" }, "Q2010"],
  [{ key: "k", keyTtl: "soon" }, "Q2010"],
])("a send with %j is refused with %s", async (options, code) => {
  const app = createApp({ queues: ["default"], broker: memoryBroker() });
  await expect(app.sendTask("t.keyed", {}, options as never)).rejects.toMatchObject({ code });
  await app.close();
});
