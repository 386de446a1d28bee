import { FakeClock } from "@q/core/testing";
import { expect, test } from "vitest";
import { LockWait } from "./lock-wait.ts";

test("waits by naps at first, which need no timer, and let the event loop have its turns", async () => {
  const wait = new LockWait(new FakeClock());
  let turns = 0;
  const turning = setInterval(() => (turns += 1), 0);
  for (let pauses = 0; pauses < 50; pauses += 1) await wait.pause();
  clearInterval(turning);
  expect(turns).toBeGreaterThan(0);
});

test("sleeps when somebody holds the lock for long", async () => {
  const clock = new FakeClock();
  const wait = new LockWait(clock);
  await wait.pause();
  await clock.advance(5);
  let isOver = false;
  const sleeping = wait.pause().then(() => (isOver = true));
  await new Promise((resolve) => setImmediate(resolve));
  expect(isOver).toBe(false);
  await clock.advance(5);
  await sleeping;
});
