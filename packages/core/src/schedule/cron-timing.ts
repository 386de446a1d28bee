import { Cron } from "croner";
import type { Timing } from "./timing.ts";

/**
 * The times of a cron expression in a time zone, by croner, which computes and does nothing else here. Loaded only where schedules are looked at.
 *
 * Where clocks are changed: an expression that names one time of the day, one second, minute and hour, comes once on every day. In the hour that
 * is left out in spring, that is at its end; in the hour that comes twice in autumn, the first time. Every other expression follows the clock
 * on the wall: nothing in the hour that is left out, twice in the one that comes twice.
 */
export class CronTiming implements Timing {
  readonly #cron: Cron;

  /** @throws TypeError or RangeError, croner's, for what is no expression */
  constructor(expression: string, timezone: string) {
    // For UTC by its offset: five times as fast as by its name.
    const zone = timezone === "UTC" ? { utcOffset: 0 } : { timezone };
    this.#cron = new Cron(expression, { ...zone, paused: true, mode: "5-or-6-parts", fixedTimeRule: "single-value" });
  }

  next(afterMs: number): number | null {
    return this.#cron.nextRun(new Date(afterMs))?.getTime() ?? null;
  }

  latest({ afterMs, untilMs, most }: Parameters<Timing["latest"]>[0]): readonly number[] {
    const found: number[] = [];
    // One at a time: the first that is too old ends the search, which for a rare schedule would go on through the years.
    let before = untilMs + 1;
    while (found.length < most) {
      const at = this.#cron.previousRuns(1, new Date(before))[0]?.getTime();
      if (at === undefined || at <= afterMs) break;
      found.push(at);
      before = at;
    }
    return found.toReversed();
  }
}
