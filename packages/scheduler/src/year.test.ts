import { createApp, type ScheduleEntry } from "@q/core";
import { systemClock, type Clock } from "@q/core/broker";
import { MemoryBroker, MemoryStore } from "@q/core/testing";
import { expect, test } from "vitest";
import { Scheduler } from "./scheduler.ts";

const leapMs = 24 * 3_600_000;

/** Time that leaps to the next midnight whenever somebody waits. */
class LeapingClock implements Clock {
  #now: number;
  readonly #until: number;
  readonly #onEnd: () => void;

  constructor(span: { readonly from: number; readonly until: number; readonly onEnd: () => void }) {
    this.#now = span.from;
    this.#until = span.until;
    this.#onEnd = span.onEnd;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  setTimer(_delayMs: number, callback: () => void): { cancel(): void } {
    const handle = setImmediate(() => {
      if (this.#now >= this.#until) this.#onEnd();
      else this.#now = (Math.floor(this.#now / leapMs) + 1) * leapMs;
      callback();
    });
    return { cancel: () => clearImmediate(handle) };
  }
}

/** The ticks that a scheduler has sent from one time to another, as `name: time`. */
async function run(schedule: Readonly<Record<string, ScheduleEntry<"default">>>, from: string, until: string) {
  let isOver = (): void => undefined;
  const over = new Promise<void>((resolve) => (isOver = resolve));
  const clock = new LeapingClock({ from: Date.parse(from), until: Date.parse(until), onEnd: () => isOver() });
  const app = createApp({
    queues: ["default"],
    broker: new MemoryBroker(new MemoryStore({ clock })),
    schedule,
    clock: systemClock,
  });
  app.instrumentedTask({ name: "t" }, async () => undefined);
  const ticks: { readonly name: string; readonly at: number; readonly lateMs: number }[] = [];
  const scheduler = new Scheduler(app, {
    clock,
    onEvent: (event) => {
      if (event.type === "schedule.fired") ticks.push(event);
    },
  });
  await scheduler.start();
  await over;
  await scheduler.stop();
  await app.close();
  return ticks;
}

const changes = {
  "Europe/Vienna": [
    "2028-02-29T01:00:00.000Z",
    "2028-03-26T01:00:00.000Z",
    "2028-03-27T00:00:00.000Z",
    "2028-10-29T00:00:00.000Z",
    "2028-10-30T01:00:00.000Z",
  ],
  "America/New_York": ["2028-02-29T07:00:00.000Z", "2028-03-12T07:00:00.000Z", "2028-11-05T07:00:00.000Z"],
  "Pacific/Apia": ["2028-02-28T13:00:00.000Z"],
} as const;

test.each(Object.entries(changes))(
  "a year of days in %s: each tick once, leap day and both changes of the clocks included, in a second",
  async (timezone, special) => {
    const before = process.cpuUsage();
    const ticks = await run(
      { daily: { task: "t", cron: "0 2 * * *", timezone, missed: "all" } },
      "2028-01-01T00:30Z",
      "2029-01-01T00:00Z",
    );
    const { user, system } = process.cpuUsage(before);
    const times = ticks.map(({ at }) => new Date(at).toISOString());
    expect(times).toEqual([...new Set(times)].toSorted());
    expect(times).toHaveLength(366);
    for (const time of special) expect(times).toContain(time);
    expect(ticks.every(({ lateMs }) => lateMs < leapMs)).toBe(true);
    // Of the processor, so that a busy machine does not fail it.
    expect((user + system) / 1e6).toBeLessThan(1);
  },
);
