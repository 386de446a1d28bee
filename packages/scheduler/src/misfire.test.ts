import { expect, test } from "vitest";
import { createApp, type ScheduleEntry } from "@q/core";
import { dueTicks, mostMissed } from "./misfire.ts";

const hourMs = 3_600_000;
const noon = Date.UTC(2030, 0, 1, 12);

/** What is due, in hours after noon, for an hourly schedule whose last tick was at noon. */
async function due(entry: Partial<ScheduleEntry<"q">>, hoursLater: number) {
  const app = createApp({
    queues: ["q"],
    schedule: { s: { task: "t", cron: "0 * * * *", ...entry } },
  });
  app.instrumentedTask({ name: "t" }, async () => undefined);
  const [found] = await app.schedules.check();
  if (found === undefined || found.schedule === null || found.timing === null) throw new Error("expected a schedule");
  const { schedule, timing } = found;
  const ticks = dueTicks(schedule, timing, { lastTick: noon, nowMs: noon + hoursLater * hourMs });
  const hours = (at: number): number => (at - noon) / hourMs;
  return { ...ticks, fire: ticks.fire.map(hours), record: ticks.record === null ? null : hours(ticks.record) };
}

test.each([
  // Nobody was there for three and a half hours.
  [{}, 3.5, { fire: [3], record: null, skipped: 2 }],
  [{ missed: "one" }, 3.5, { fire: [3], record: null, skipped: 2 }],
  [{ missed: "all" }, 3.5, { fire: [1, 2, 3], record: null, skipped: 0 }],
  [{ missed: "skip" }, 3.5, { fire: [], record: 3, skipped: 3 }],
  // A tick that is a little late is none that was missed.
  [{ missed: "skip" }, 3.01, { fire: [3], record: null, skipped: 2 }],
  [{ missed: "skip" }, 3.02, { fire: [], record: 3, skipped: 3 }],
  // How late a tick may be sent.
  [{ startDeadline: "1h" }, 3.5, { fire: [3], record: null, skipped: 2 }],
  [{ startDeadline: "20m" }, 3.5, { fire: [], record: 3, skipped: 3 }],
  [{ missed: "all", startDeadline: "2h" }, 3.5, { fire: [2, 3], record: null, skipped: 1 }],
  [{ missed: "skip", startDeadline: "1h" }, 3.5, { fire: [3], record: null, skipped: 2 }],
  // On time, and not yet.
  [{}, 1, { fire: [1], record: null, skipped: 0 }],
  [{}, 0.999, { fire: [], record: null, skipped: 0 }],
  // The clock was put back.
  [{}, -5, { fire: [], record: null, skipped: 0 }],
] as const)("%j, %s hours after its last tick", async (entry, hours, expected) => {
  expect(await due(entry, hours)).toEqual({ ...expected, hasMore: false });
});

test("a hundred missed ticks are sent at most, the newest", async () => {
  const { fire, skipped, hasMore } = await due({ missed: "all" }, 300.5);
  expect(fire).toEqual(Array.from({ length: mostMissed }, (_, index) => 201 + index));
  expect({ skipped, hasMore }).toEqual({ skipped: 1, hasMore: true });
});

test("a year of missed seconds is looked at as fast as a minute of them", async () => {
  const startedAt = performance.now();
  expect(await due({ cron: "* * * * * *" }, 24 * 365)).toMatchObject({ fire: [24 * 365], hasMore: true });
  expect(performance.now() - startedAt).toBeLessThan(1000);
});

test("jitter moves when a tick is due, and not its name", async () => {
  const app = createApp({ queues: ["q"], schedule: { s: { task: "t", cron: "0 * * * *", jitter: "30m" } } });
  const [schedule] = app.schedules.declared;
  const offsetHours = (schedule?.offsetMs ?? 0) / hourMs;
  expect(offsetHours).toBeGreaterThan(0);
  expect(await due({ jitter: "30m" }, 1 + offsetHours - 0.001)).toMatchObject({ fire: [] });
  expect(await due({ jitter: "30m" }, 1 + offsetHours)).toMatchObject({ fire: [1] });
});
