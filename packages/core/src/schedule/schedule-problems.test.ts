import { expect, onTestFinished, test } from "vitest";
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

test("schedules whose schema fails for once, declared or stored, have a problem until it does not", async () => {
  const { app, problems } = setUp();
  let isAway = false;
  // By hand: that of zod tries without waiting first, and leaves the rejection of that attempt to nobody.
  const validate = async (value: unknown) => {
    if (isAway) throw new Error("the database is away");
    return { value };
  };
  const args = { "~standard": { version: 1, vendor: "test", validate } } as const;
  app.instrumentedTask({ name: "t.late", args }, () => {});
  await app.schedules.put("stored", { task: "t.late", every: "1m" });
  isAway = true;
  expect(await problems()).toEqual(["Q2007", "Q2007"]);
  const [first] = await app.schedules.list();
  expect(first?.problem?.message).toBe(
    'schedule "declared" could not be tried, because the schema of its task failed: the database is away',
  );
  isAway = false;
  expect(await problems()).toEqual([undefined, undefined]);
});
