import { expect, test } from "vitest";
import { createApp } from "./index.ts";
import { memoryBroker, testApp } from "./testing/index.ts";

test.each([
  { of: "the app", ofApp: { maxMessageSize: 4_000_000 }, ofTask: {} },
  { of: "the task", ofApp: {}, ofTask: { maxMessageSize: 4_000_000 } },
])("what a larger maxMessageSize of $of lets out is read", async ({ ofApp, ofTask }) => {
  const app = createApp({ queues: ["default"], broker: memoryBroker(), ...ofApp });
  const t = testApp(app);
  const lengths: number[] = [];
  const task = app.instrumentedTask({ name: "t.x", ...ofTask }, ({ text }: { text: string }) => {
    lengths.push(text.length);
  });
  await task.delay({ text: "x".repeat(2_000_000) });
  await t.drain();
  expect(lengths).toEqual([2_000_000]);
  expect(t.sent(task)).toHaveLength(1);
  await t.close();
});
