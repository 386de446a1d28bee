import { expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { createApp } from "../app.ts";
import { memoryBroker } from "../testing/memory-broker.ts";

function setUp() {
  const app = createApp({
    broker: memoryBroker(),
    queues: ["default"],
    schedule: { declared: { task: "t.late", every: "1m" } },
  });
  onTestFinished(() => app.close());
  const problems = async (): Promise<unknown[]> => (await app.schedules.list()).map(({ problem }) => problem?.code);
  return { app, problems };
}

test("a schedule whose task is declared later has a problem until then", async () => {
  const { app, problems } = setUp();
  expect(await problems()).toEqual(["Q2029"]);
  app.instrumentedTask({ name: "t.late" }, () => {});
  expect(await problems()).toEqual([undefined]);
});

test("schedules whose schema fails for once, declared or stored, can be read afterwards", async () => {
  const { app, problems } = setUp();
  let isAway = false;
  const args = z.object({}).refine(async () => {
    if (isAway) throw new Error("the database is away");
    return true;
  });
  app.instrumentedTask({ name: "t.late", args }, () => {});
  await app.schedules.put("stored", { task: "t.late", every: "1m" });
  isAway = true;
  await expect(problems()).rejects.toThrow("the database is away");
  isAway = false;
  expect(await problems()).toEqual([undefined, undefined]);
});
