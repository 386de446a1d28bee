import { expect, test } from "vitest";
import { atMost, type Clock } from "./clock.ts";
import { FakeClock } from "./testing/fake-clock.ts";

/** A clock that counts its timers. */
function setUp(): { clock: FakeClock; counting: Clock; running: () => number } {
  const clock = new FakeClock();
  let running = 0;
  const counting: Clock = {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    setTimer(delayMs, callback) {
      running += 1;
      const timer = clock.setTimer(delayMs, callback);
      return {
        cancel() {
          running -= 1;
          timer.cancel();
        },
      };
    },
  };
  return { clock, counting, running: () => running };
}

test("work that ends in time is waited for, and its timer is not left behind", async () => {
  const { counting, running } = setUp();
  expect(await atMost(counting, 1000, Promise.resolve("anything"))).toBe(true);
  expect(running()).toBe(0);
});

test("work that takes longer is not waited for", async () => {
  const { clock, counting } = setUp();
  const ended = atMost(counting, 1000, new Promise(() => {}));
  await clock.advance(1000);
  expect(await ended).toBe(false);
});

test("what work rejects with in time is raised, and its timer is not left behind", async () => {
  const { counting, running } = setUp();
  await expect(atMost(counting, 1000, Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(running()).toBe(0);
});
