import { expect, test } from "vitest";
import { createApp, retry } from "./index.ts";

test.each(["at-least-once", "at-most-once"] as const)(
  "an eager task (%s) that does not end is given up at its time limit, and its sender told",
  async (delivery) => {
    const app = createApp({ queues: ["default"], eager: true });
    const task = app.instrumentedTask({ name: "t.hang", timeLimit: "5ms", delivery }, () => new Promise(() => {}));
    await expect(task.delay()).rejects.toMatchObject({
      code: "Q4008",
      reason: { code: "failed", error: { code: "Q4002" } },
    });
  },
);

test("one that is retried after its time limit runs again", async () => {
  const app = createApp({ queues: ["default"], eager: true });
  let runs = 0;
  const task = app.instrumentedTask({ name: "t.hang", timeLimit: "5ms", retry: retry() }, async () => {
    runs += 1;
    if (runs === 1) await new Promise(() => {});
  });
  await task.delay();
  expect(runs).toBe(2);
});
