import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { z } from "zod";
import { createApp, type Middleware } from "./index.ts";
import { memoryBroker } from "./testing/index.ts";

test.each(["an asynchronous schema", "middleware"])("close waits for what %s keeps", async (keeper) => {
  const slow: Middleware = {
    name: "slow",
    send: async (_context, next) => {
      await turn();
      await next();
    },
  };
  const broker = memoryBroker();
  const app = createApp({ queues: ["default"], broker, middleware: keeper === "middleware" ? [slow] : [] });
  const args = keeper === "middleware" ? z.object({}) : z.object({}).refine(async () => await turn(true));
  const task = app.instrumentedTask({ name: "t.slow", args }, () => {});
  const outcomes = Promise.allSettled([task.delay({}), task.delay({})]);
  await app.close();
  expect(broker.connected).toBe(false);
  expect((await outcomes).map(({ status }) => status)).toEqual(["fulfilled", "fulfilled"]);
});

test("nor does a send that is refused there keep it from closing", async () => {
  const app = createApp({ queues: ["default"], broker: memoryBroker() });
  const args = z.object({}).refine(async () => await turn(false));
  const task = app.instrumentedTask({ name: "t.slow", args }, () => {});
  const outcome = Promise.allSettled([task.delay({})]);
  await app.close();
  expect(await outcome).toMatchObject([{ status: "rejected", reason: { code: "Q3001" } }]);
});
