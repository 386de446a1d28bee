import { expect, test } from "vitest";
import { hasCode } from "../q-error.ts";
import { readSchedule, tickId, timingOf } from "./schedule.ts";

const read = (entry: object, name = "nightly") =>
  readSchedule(name, { task: "reports.daily", ...entry }, { isStored: false });

/** The error of an entry, read and looked at. */
async function errorOf(entry: object, name?: string): Promise<{ readonly code: string; readonly message: string }> {
  try {
    await timingOf(read(entry, name));
  } catch (error) {
    if (error instanceof Error && "code" in error) return { code: String(error.code), message: error.message };
  }
  throw new Error(`expected an error for ${JSON.stringify(entry)}`);
}

test("an entry that says little gets the defaults that are documented", () => {
  expect(read({ cron: " 0 5 * * * " })).toEqual({
    name: "nightly",
    task: "reports.daily",
    args: {},
    options: {},
    cron: "0 5 * * *",
    everyMs: null,
    timezone: "UTC",
    missed: "one",
    startDeadlineMs: null,
    overlap: "allow",
    duplicates: "allow",
    offsetMs: 0,
    isStored: false,
  });
});

test.each([
  [{ cron: "0 25 * * *" }, "Q2006", "hour is out of its range, 0 to 23"],
  [{ cron: "0 0 1 13 *" }, "Q2006", "month is out of its range, 1 to 12"],
  [{ cron: "0 0 * * 8" }, "Q2006", "dayOfWeek is out of its range, 0 to 7"],
  [{ cron: "*/0 * * * *" }, "Q2006", "is no cron expression"],
  [{ cron: "a b c d e" }, "Q2006", "is no cron expression"],
  [{ cron: "0 0 31 2 *" }, "Q2006", "names a date that never comes"],
  [{ cron: "0 0 30 2 *" }, "Q2006", "names a date that never comes"],
  [{ cron: "* * * *" }, "Q2006", "expected 5 or 6 fields"],
  [{ cron: "0 0 0 1 1 * 2030" }, "Q2006", "expected 5 or 6 fields"],
  [{ cron: "@reboot" }, "Q2006", "expected 5 or 6 fields"],
  [{ cron: "2030-01-01T00:00:00" }, "Q2006", "expected 5 or 6 fields"],
  [{ cron: `0 0 * * ${"1,".repeat(130)}1` }, "Q2006", "expected at most 256"],
  [{ cron: 5 }, "Q2006", 'cron of schedule "nightly" is a number'],
  [{ cron: "@daily", timezone: "Europe/Wien" }, "Q2006", 'time zone "Europe/Wien"'],
  [{ cron: "@daily", timezone: "+02:00" }, "Q2006", 'time zone "+02:00"'],
  [{ cron: "@daily", timezone: "" }, "Q2006", 'time zone ""'],
  [{}, "Q2006", "neither cron nor every"],
  [{ cron: "@daily", every: "1s" }, "Q2006", "both cron and every"],
  [{ every: "500ms" }, "Q2006", 'expected at least "1s"'],
  [{ every: "90s", timezone: "UTC" }, "Q2006", "which an interval has no use for"],
  [{ every: 90 }, "Q2010", 'every of schedule "nightly"'],
  [{ cron: "@daily", missed: "none" }, "Q2028", "expected skip, one, all"],
  [{ cron: "@daily", overlap: true }, "Q2028", "expected allow, skip"],
  [{ cron: "@daily", duplicates: "skip" }, "Q2028", "expected allow, drop"],
  [{ cron: "@daily", task: "" }, "Q2028", "names no task"],
  [{ cron: "@daily", options: null }, "Q2028", "options that are none"],
  [{ cron: "@daily", options: { countdown: "1s" } }, "Q2011", '"countdown"'],
  [{ cron: "@daily", zone: "UTC" }, "Q2011", '"zone"'],
  [{ cron: "@daily", startDeadline: "0s" }, "Q2010", "startDeadline of schedule"],
])("%j is refused with %s", async (entry, code, text) => {
  const error = await errorOf(entry);
  expect(error.code).toBe(code);
  expect(error.message).toContain(text);
  expect(error.message.length).toBeLessThan(500);
});

test.each(["", "a{b}", "a\0b", "ü", "x".repeat(101), 5, null])("%j is refused as a name", async (name) => {
  expect(await errorOf({ cron: "@daily" }, name as string)).toMatchObject({ code: "Q2028" });
});

test.each(["0 0 29 2 *", "@hourly", "*/10 * * * * *", "0 0 L * *", "0 12 * * 1#2", "0 9 * jan-mar mon-fri"])(
  "%s is taken",
  async (cron) => {
    expect((await timingOf(read({ cron }))).next(Date.UTC(2030, 0))).toBeGreaterThan(Date.UTC(2030, 0));
  },
);

test("jitter moves a schedule by the same share of it always, and others by others", () => {
  const offsets = ["a", "b", "c", "d"].map((name) => read({ cron: "@hourly", jitter: "10m" }, name).offsetMs);
  expect(offsets).toEqual(["a", "b", "c", "d"].map((name) => read({ cron: "@daily", jitter: "10m" }, name).offsetMs));
  expect(new Set(offsets).size).toBe(4);
  for (const offset of offsets) expect(offset >= 0 && offset <= 600_000).toBe(true);
});

test("the id of a tick names the schedule and the time, and nothing of the process", () => {
  expect(tickId("nightly", Date.UTC(2030, 0, 1))).toBe("cron:nightly:2030-01-01T00:00:00.000Z");
  expect(Buffer.byteLength(tickId("x".repeat(100), Date.UTC(2030, 0, 1)))).toBeLessThan(256);
});

test("errors of an entry have codes that two copies of the package agree on", async () => {
  expect(hasCode(await errorOf({ cron: "@never" }), "Q2006")).toBe(true);
});
