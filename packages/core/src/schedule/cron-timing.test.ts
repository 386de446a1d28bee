import { expect, test } from "vitest";
import { CronTiming } from "./cron-timing.ts";

/** The ticks between two times, in the zone's own words. */
function ticks(expression: string, timezone: string, [from, to]: readonly [string, string]): readonly string[] {
  const timing = new CronTiming(expression, timezone);
  const found: string[] = [];
  for (let at = timing.next(Date.parse(from) - 1); at !== null && at < Date.parse(to); at = timing.next(at))
    found.push(`${local(at, timezone)} ${new Date(at).toISOString().slice(11, 16)}Z`);
  return found;
}

function local(at: number, timeZone: string): string {
  return new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short", timeStyle: "short" }).format(at).slice(5);
}

/** Nights on which clocks are changed, and the nights around them. */
const spring: Readonly<Record<string, readonly [string, string]>> = {
  "Europe/Vienna": ["2027-03-27T00:00Z", "2027-03-29T12:00Z"],
  "America/New_York": ["2027-03-13T05:00Z", "2027-03-15T12:00Z"],
  "Australia/Lord_Howe": ["2027-10-01T13:00Z", "2027-10-03T20:00Z"],
};
const autumn: Readonly<Record<string, readonly [string, string]>> = {
  "Europe/Vienna": ["2027-10-30T00:00Z", "2027-11-01T12:00Z"],
  "America/New_York": ["2027-11-06T04:30Z", "2027-11-08T12:00Z"],
  "Australia/Lord_Howe": ["2027-04-02T14:00Z", "2027-04-04T20:00Z"],
};

// The table of the guide on schedules.
test.each([
  // One time of the day that is left out: at the end of the hour.
  ["30 2 * * *", "Europe/Vienna", spring, ["03-27 02:30 01:30Z", "03-28 03:00 01:00Z", "03-29 02:30 00:30Z"]],
  ["30 2 * * *", "America/New_York", spring, ["03-13 02:30 07:30Z", "03-14 03:00 07:00Z", "03-15 02:30 06:30Z"]],
  ["15 2 * * *", "Australia/Lord_Howe", spring, ["10-02 02:15 15:45Z", "10-03 02:30 15:30Z", "10-04 02:15 15:15Z"]],
  // One time of the day that comes twice: the first.
  ["30 2 * * *", "Europe/Vienna", autumn, ["10-30 02:30 00:30Z", "10-31 02:30 00:30Z", "11-01 02:30 01:30Z"]],
  ["30 1 * * *", "America/New_York", autumn, ["11-06 01:30 05:30Z", "11-07 01:30 05:30Z", "11-08 01:30 06:30Z"]],
  ["45 1 * * *", "Australia/Lord_Howe", autumn, ["04-03 01:45 14:45Z", "04-04 01:45 14:45Z", "04-05 01:45 15:15Z"]],
] as const)("%s in %s comes once a day where clocks are changed", (expression, zone, nights, expected) => {
  const [from = "", to = ""] = nights[zone] ?? [];
  expect(ticks(expression, zone, [from, to])).toEqual(expected);
});

test.each([
  // More than one time of the day: by the clock on the wall.
  ["0,30 2 * * *", "Europe/Vienna", ["2027-03-28T00:00Z", "2027-03-28T12:00Z"], []],
  [
    "0,30 2 * * *",
    "Europe/Vienna",
    ["2027-10-31T00:00Z", "2027-10-31T12:00Z"],
    ["10-31 02:00 00:00Z", "10-31 02:30 00:30Z", "10-31 02:00 01:00Z", "10-31 02:30 01:30Z"],
  ],
  [
    "*/30 * * * *",
    "America/New_York",
    ["2027-03-14T06:30Z", "2027-03-14T08:00Z"],
    ["03-14 01:30 06:30Z", "03-14 03:00 07:00Z", "03-14 03:30 07:30Z"],
  ],
  [
    "*/30 * * * *",
    "America/New_York",
    ["2027-11-07T05:00Z", "2027-11-07T07:30Z"],
    ["11-07 01:00 05:00Z", "11-07 01:30 05:30Z", "11-07 01:00 06:00Z", "11-07 01:30 06:30Z", "11-07 02:00 07:00Z"],
  ],
  [
    "0 * * * *",
    "Australia/Lord_Howe",
    ["2027-10-02T14:00Z", "2027-10-02T17:00Z"],
    ["10-03 01:00 14:30Z", "10-03 03:00 16:00Z"],
  ],
  // Days that most years do not have.
  [
    "0 12 29 2 *",
    "Europe/Vienna",
    ["2026-01-01T00:00Z", "2034-01-01T00:00Z"],
    ["02-29 12:00 11:00Z", "02-29 12:00 11:00Z"],
  ],
  ["0 0 29 2 *", "UTC", ["2096-01-01T00:00Z", "2104-12-31T00:00Z"], ["02-29 00:00 00:00Z", "02-29 00:00 00:00Z"]],
  [
    "0 0 L 2 *",
    "America/New_York",
    ["2027-01-01T00:00Z", "2029-01-01T00:00Z"],
    ["02-28 00:00 05:00Z", "02-29 00:00 05:00Z"],
  ],
] as const)("%s in %s follows the clock on the wall in %j", (expression, zone, [from, to], expected) => {
  expect(ticks(expression, zone, [from, to])).toEqual(expected);
});

test.each(["Europe/Vienna", "America/New_York", "Australia/Lord_Howe", "UTC"])(
  "backwards from any time come the same ticks as forwards, in %s",
  (zone) => {
    for (const expression of ["30 2 * * *", "0,30 1,2 * * *", "15 */6 * * *", "0 0 L * *"]) {
      const timing = new CronTiming(expression, zone);
      const [afterMs, untilMs] = [Date.UTC(2027, 2, 1), Date.UTC(2027, 3, 10)];
      const forwards: number[] = [];
      for (let at = timing.next(afterMs); at !== null && at <= untilMs; at = timing.next(at)) forwards.push(at);
      expect(timing.latest({ afterMs, untilMs, most: 1000 })).toEqual(forwards);
      expect(timing.latest({ afterMs, untilMs, most: 3 })).toEqual(forwards.slice(-3));
      const last = forwards.at(-1) ?? 0;
      expect(timing.latest({ afterMs: last - 1, untilMs: last, most: 9 })).toEqual([last]);
      expect(timing.latest({ afterMs: last, untilMs: last + 999, most: 9 })).toEqual([]);
    }
  },
);
