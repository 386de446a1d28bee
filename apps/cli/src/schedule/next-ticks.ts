import type { Schedule, Timing } from "@q/core";
import { localTime, relativeTime, weekday } from "./schedule-words.ts";

/** The next times at which a schedule sends, in order. */
export function nextTicks(schedule: Schedule, timing: Timing, count: number, nowMs: number): readonly number[] {
  const { offsetMs } = schedule;
  const found: number[] = [];
  for (let at = timing.next(nowMs - offsetMs); at !== null && found.length < count; at = timing.next(at))
    found.push(at + offsetMs);
  return found;
}

/** A time in the zone, in UTC and as seen from now: the cells of a table. */
export function tickCells(at: number, timezone: string, nowMs: number): readonly string[] {
  const utc = new Date(at).toISOString().slice(0, 19).replace("T", " ");
  return [`${weekday(at, timezone)} ${localTime(at, timezone)} ${timezone}`, `${utc} UTC`, relativeTime(at, nowMs)];
}

/** The same for programs. */
export function tickJson(at: number, timezone: string): Readonly<Record<string, string>> {
  return { at: new Date(at).toISOString(), local: localTime(at, timezone), timezone };
}
