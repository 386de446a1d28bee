import { FakeClock } from "@q/core/testing";
import { expect, test } from "vitest";
import { BrokerTime } from "./broker-time.ts";

const now = Date.UTC(2030, 0, 1);
const hourMs = 3_600_000;

/** A machine whose clock is an hour ahead of the broker's. */
async function setUp(answer: () => number | null) {
  const clock = new FakeClock({ now: now + hourMs });
  const time = new BrokerTime(clock, async () => answer());
  await time.look();
  return { clock, time };
}

test("it is the broker's time, also when the clock here is set", async () => {
  const { clock, time } = await setUp(() => now);
  expect(time.now()).toBe(now);
  await clock.advance("10s");
  clock.set(0);
  expect(time.now()).toBe(now + 10_000);
});

test("without a broker's clock it is the time here, jumps and all", async () => {
  const { clock, time } = await setUp(() => null);
  expect(time.now()).toBe(now + hourMs);
  clock.set(now);
  expect(time.now()).toBe(now);
});

test("another look is due after a minute, and when the clocks here drift apart", async () => {
  const { clock, time } = await setUp(() => now);
  await clock.advance("59s");
  expect(time.isOld).toBe(false);
  await clock.advance("1s");
  expect(time.isOld).toBe(true);
  await time.look();
  expect(time.isOld).toBe(false);
  // As after a suspend: the wall clock has moved on, the monotonic one has not.
  clock.set(clock.now() + 8 * hourMs);
  expect(time.isOld).toBe(true);
});

test("it is never ahead of the broker, and behind by the way of the answer", async () => {
  const clock = new FakeClock({ now });
  const time = new BrokerTime(clock, async () => {
    await clock.advance(200);
    const answer = clock.now();
    await clock.advance(100);
    return answer;
  });
  await time.look();
  expect(time.now()).toBe(clock.now() - 100);
});

test("a look that fails leaves what was known", async () => {
  let broken = false;
  const { clock, time } = await setUp(() => {
    if (broken) throw new Error("gone");
    return now;
  });
  broken = true;
  await expect(time.look()).rejects.toThrow("gone");
  await clock.advance("1s");
  expect(time.now()).toBe(now + 1000);
});
