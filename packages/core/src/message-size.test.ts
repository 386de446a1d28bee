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

test("the headers that a sender attaches count as much as the body of what waits", async () => {
  const app = createApp({ queues: ["default"], broker: memoryBroker(), maxBufferedBytes: 2000 });
  const task = app.instrumentedTask({ name: "t.x" }, () => {});
  const headers = { "x-trace": "é".repeat(200) };
  const sends = await Promise.allSettled([1, 2, 3].map(() => task.applyAsync({}, { headers })));
  expect(sends.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected"]);
  expect(sends[2]).toMatchObject({ reason: { code: "Q1104" } });
  await app.close();
});
