import { expect, test } from "vitest";
import { silentLogger } from "../logger.ts";
import { FakeClock } from "../testing/fake-clock.ts";
import { Watchdog } from "./watchdog.ts";

function setUp(
  change: { heardAt?: () => number | undefined; overdue?: () => number; rebuild?: () => Promise<void> } = {},
) {
  const clock = new FakeClock();
  const failures: string[] = [];
  let rebuilds = 0;
  const watchdog = new Watchdog(
    {
      heardAt: change.heardAt ?? (() => 0),
      rebuild: async () => {
        rebuilds += 1;
        await change.rebuild?.();
      },
      slots: () => ({ size: 2, overdue: change.overdue?.() ?? 0 }),
      onFailed: (error) => failures.push((error as Error & { code: string }).code),
    },
    silentLogger,
    clock,
  );
  return { clock, failures, rebuilds: () => rebuilds, watchdog };
}

test("a consumer that hears from its broker is left alone", async () => {
  const now: { clock?: FakeClock } = {};
  const { clock, failures, rebuilds, watchdog } = setUp({ heardAt: () => now.clock?.monotonic() });
  now.clock = clock;
  await clock.advance("1h");
  expect([rebuilds(), failures]).toEqual([0, []]);
  watchdog.stop();
});

test("one that stands still is replaced three times, then the worker gives up", async () => {
  const { clock, failures, rebuilds } = setUp({ rebuild: () => Promise.reject(new Error("still down")) });
  await clock.advance("45s");
  expect([rebuilds(), failures]).toEqual([1, []]);
  await clock.advance("5m");
  expect([rebuilds(), failures]).toEqual([3, ["Q4007"]]);
});

test("a replacement that is there, and hears nothing either, is no help", async () => {
  let heardAt = 0;
  const { clock, failures, rebuilds } = setUp({
    heardAt: () => heardAt,
    rebuild: async () => {
      heardAt += 1;
    },
  });
  await clock.advance("10m");
  expect([rebuilds(), failures]).toEqual([3, ["Q4007"]]);
});

test("a replacement that works starts the count anew", async () => {
  let heardAt = 0;
  const now: { clock?: FakeClock } = {};
  const { clock, failures, rebuilds, watchdog } = setUp({
    heardAt: () => heardAt,
    rebuild: async () => {
      heardAt += 1;
      // It hears something soon, and then nothing more.
      now.clock?.setTimer(6000, () => (heardAt += 1));
    },
  });
  now.clock = clock;
  await clock.advance("10m");
  expect(rebuilds()).toBeGreaterThan(5);
  expect(failures).toEqual([]);
  watchdog.stop();
});

test("nothing is expected of a broker while the worker is paused or full", async () => {
  const { clock, failures, rebuilds, watchdog } = setUp({ heardAt: () => undefined });
  await clock.advance("1h");
  expect([rebuilds(), failures]).toEqual([0, []]);
  watchdog.stop();
});

test("a worker whose slots are all held by attempts past their limit gives up", async () => {
  let overdue = 1;
  const { clock, failures } = setUp({ heardAt: () => undefined, overdue: () => overdue });
  await clock.advance("1m");
  expect(failures).toEqual([]);
  overdue = 2;
  await clock.advance("10s");
  expect(failures).toEqual(["Q4006"]);
});
