import { formatMs, type Schedule } from "@q/core";
import { isoTime } from "../output/numbers.ts";

/** When a schedule is due, for a table: `0 2 * * * Europe/Vienna`, `every 90 s`. */
export function scheduleTime({ cron, everyMs, timezone }: Schedule): string {
  return cron === null ? `every ${formatMs(everyMs ?? 0)}` : `${cron} ${timezone}`;
}

/** The same as a sentence. Loads what reads expressions to people only here. */
export async function scheduleWords(schedule: Schedule): Promise<string> {
  const { cron, everyMs, timezone } = schedule;
  if (cron === null) return `Every ${formatMs(everyMs ?? 0)}, counted from 1970-01-01 00:00 UTC`;
  const { toString } = (await import("cronstrue")).default;
  try {
    return `${toString(cron, { use24HourTimeFormat: true, verbose: true })}, ${timezone}`;
  } catch {
    // It knows fewer forms than what computes the times. Then the expression has to speak for itself.
    return scheduleTime(schedule);
  }
}

/** `2026-11-29 02:00:00`, on the clocks of the zone. */
export function localTime(at: number, timeZone: string): string {
  return new Intl.DateTimeFormat("sv-SE", {
    timeZone,
    dateStyle: "short",
    timeStyle: "medium",
  }).format(at);
}

/** `Sun`, on the clocks of the zone. */
export function weekday(at: number, timeZone: string): string {
  return new Intl.DateTimeFormat("en-US", { timeZone, weekday: "short" }).format(at);
}

/** `in 3 h 18 min`, `2 min ago`, `now`; `?` for what is no time. */
export function relativeTime(at: number, nowMs: number): string {
  if (isoTime(at) === null) return "?";
  const ms = at - nowMs;
  if (Math.abs(ms) < 1000) return "now";
  return ms > 0 ? `in ${formatMs(ms)}` : `${formatMs(-ms)} ago`;
}
