import { timingOf, type Schedule, type Timing } from "@q/core";
import { localTime } from "./schedule-words.ts";

/** A day on which the clocks of a zone are changed, and what that does to a schedule. */
export interface ClockChange {
  /** `2027-03-28`, in the zone. */
  readonly date: string;
  readonly direction: "forward" | "back";
  /** Times on the zone's clocks, `02:30:00`, that the schedule names and that nothing is sent at. */
  readonly without: readonly string[];
  /** Times at which something is sent instead, or once more. */
  readonly instead: readonly string[];
}

const dayMs = 86_400_000;
const yearDays = 366;
const mostTicks = 100_000;

/** The days of the coming year on which changing the clocks makes a difference to a schedule. */
export async function clockChanges(
  schedule: Schedule,
  timing: Timing,
  fromMs: number,
): Promise<readonly ClockChange[]> {
  const { cron, timezone } = schedule;
  if (cron === null) return [];
  const asWritten = await timingOf({ ...schedule, timezone: "UTC" });
  const changes: ClockChange[] = [];
  for (let day = 0; day < yearDays; day += 1) {
    const at = fromMs + day * dayMs;
    const [before, after] = [offsetOf(at, timezone), offsetOf(at + dayMs, timezone)];
    if (before === after) continue;
    const changedAt = whenChanged(at, at + dayMs, timezone);
    const date = localTime(changedAt, timezone).slice(0, 10);
    // What the expression names on this date, as if the day had 24 hours; and what it comes to in the zone.
    const midnight = Date.parse(`${date}T00:00:00Z`);
    const named = timesBetween(asWritten, midnight, midnight + dayMs, "UTC");
    const sent = timesBetween(timing, changedAt - 2 * dayMs, changedAt + 2 * dayMs, timezone, date);
    const change: ClockChange = {
      date,
      direction: after > before ? "forward" : "back",
      without: difference(named, sent),
      instead: difference(sent, named),
    };
    if (change.without.length > 0 || change.instead.length > 0) changes.push(change);
  }
  return changes;
}

/** Times on the zone's clocks, of one date only where it is given. */
function timesBetween(timing: Timing, fromMs: number, untilMs: number, zone: string, date?: string): string[] {
  const times: string[] = [];
  let at = timing.next(fromMs - 1);
  for (let count = 0; at !== null && at < untilMs && count < mostTicks; count += 1) {
    const local = localTime(at, zone);
    if (date === undefined || local.startsWith(date)) times.push(local.slice(11));
    at = timing.next(at);
  }
  return times;
}

/** What stands in `from` more often than in `other`. */
function difference(from: readonly string[], other: readonly string[]): readonly string[] {
  const left = new Map<string, number>();
  for (const time of other) left.set(time, (left.get(time) ?? 0) + 1);
  return from.filter((time) => {
    const count = left.get(time) ?? 0;
    left.set(time, count - 1);
    return count <= 0;
  });
}

function whenChanged(fromMs: number, untilMs: number, zone: string): number {
  let [before, after] = [fromMs, untilMs];
  const offset = offsetOf(before, zone);
  while (after - before > 1000) {
    const middle = Math.floor((before + after) / 2);
    if (offsetOf(middle, zone) === offset) before = middle;
    else after = middle;
  }
  return after;
}

/** How far the zone's clocks are ahead of UTC. Milliseconds. */
function offsetOf(at: number, zone: string): number {
  const whole = Math.floor(at / 1000) * 1000;
  return Date.parse(`${localTime(whole, zone).replace(" ", "T")}Z`) - whole;
}
