import { describe, expect, test } from "vitest";
import { sleep } from "../clock.ts";
import { FakeClock } from "./fake-clock.ts";

describe("FakeClock", () => {
  test("fires timers in order of time, and those of one instant in the order of setting", async () => {
    const clock = new FakeClock();
    const fired: string[] = [];
    for (const [label, delayMs] of [
      ["c", 30],
      ["a", 10],
      ["b1", 20],
      ["b2", 20],
    ] as const) {
      clock.setTimer(delayMs, () => fired.push(`${label} at ${clock.monotonic()}`));
    }
    await clock.advance(25);
    expect(fired).toEqual(["a at 10", "b1 at 20", "b2 at 20"]);
    expect(clock.monotonic()).toBe(25);
    await clock.advance("5ms");
    expect(fired.at(-1)).toBe("c at 30");
  });

  test("lets promises and immediates that follow from a timer finish before the next one", async () => {
    const clock = new FakeClock();
    const order: string[] = [];
    clock.setTimer(10, () => {
      void (async () => {
        for (let step = 1; step <= 3; step += 1) {
          await new Promise((resolve) => {
            setImmediate(resolve);
          });
          order.push(`step ${step} at ${clock.monotonic()}`);
        }
      })();
    });
    clock.setTimer(20, () => order.push("next"));
    await clock.advance(100);
    expect(order).toEqual(["step 1 at 10", "step 2 at 10", "step 3 at 10", "next"]);
  });

  test("fires timers that timers set, as long as they fall due in time", async () => {
    const clock = new FakeClock();
    let beats = 0;
    const beat = (): void => {
      beats += 1;
      clock.setTimer(1000, beat);
    };
    beat();
    await clock.advance("10s");
    expect(beats).toBe(11);
  });

  test("waits for code that was called just before, so that its timers count", async () => {
    const clock = new FakeClock();
    const finished = (async () => {
      await Promise.resolve();
      await sleep(clock, 1000);
      return sleep(clock, 1000);
    })();
    await clock.advance("2s");
    await expect(finished).resolves.toBe(true);
    expect(clock.monotonic()).toBe(2000);
  });

  test("does not fire a cancelled timer, however many there are", async () => {
    const clock = new FakeClock();
    let fired = 0;
    const timers = Array.from({ length: 5000 }, (_, index) => clock.setTimer(index, () => (fired += 1)));
    for (const timer of timers.slice(1)) {
      timer.cancel();
      timer.cancel();
    }
    await clock.advance("1m");
    expect(fired).toBe(1);
  });

  test("a set wall clock moves neither timers nor monotonic time", async () => {
    const clock = new FakeClock({ now: 1_000_000 });
    let fired = false;
    clock.setTimer(100, () => (fired = true));
    clock.set(5_000_000);
    expect([clock.now(), clock.monotonic()]).toEqual([5_000_000, 0]);
    await clock.advance(99);
    expect(fired).toBe(false);
    await clock.advance(1);
    expect([fired, clock.now()]).toEqual([true, 5_000_100]);
  });

  test("advances that are called at the same time follow each other", async () => {
    const clock = new FakeClock();
    const seen: number[] = [];
    clock.setTimer(15, () => seen.push(clock.monotonic()));
    await Promise.all([clock.advance(10), clock.advance(10)]);
    expect([seen, clock.monotonic()]).toEqual([[15], 20]);
  });

  test("tells the caller when a timer's callback throws, and goes on afterwards", async () => {
    const clock = new FakeClock();
    clock.setTimer(5, () => {
      throw new RangeError("from the callback");
    });
    await expect(clock.advance(10)).rejects.toThrow(RangeError);
    await clock.advance(10);
    expect(clock.monotonic()).toBe(15);
  });

  test.each([-1, Number.NaN, Infinity])("refuses to advance by %s ms", async (ms) => {
    await expect(new FakeClock().advance(ms)).rejects.toMatchObject({ code: "Q2010" });
  });
});
