import type { Schedule, Timing } from "@q/core";

/** What is to be done about the ticks that are due. */
export interface DueTicks {
  /** To be sent, oldest first. */
  readonly fire: readonly number[];
  /** To be recorded without a message, because none is sent; `null` otherwise. */
  readonly record: number | null;
  /** How many are neither sent now nor later. */
  readonly skipped: number;
  /** Whether there are more of those than were counted. */
  readonly hasMore: boolean;
}

/** Most ticks that `missed: "all"` sends at once, and that are counted. */
export const mostMissed = 100;
const skipDeadlineMs = 60_000;

/** Applies the policy of a schedule to what came due since its last tick. Pure. */
export function dueTicks(
  schedule: Pick<Schedule, "missed" | "startDeadlineMs" | "offsetMs">,
  timing: Timing,
  time: { readonly lastTick: number; readonly nowMs: number },
): DueTicks {
  const { missed, offsetMs, startDeadlineMs } = schedule;
  const untilMs = time.nowMs - offsetMs;
  const due = timing.latest({ afterMs: time.lastTick, untilMs, most: mostMissed + 1 });
  const deadlineMs = startDeadlineMs ?? (missed === "skip" ? skipDeadlineMs : Infinity);
  const inTime = due.filter((at) => untilMs - at <= deadlineMs);
  const fire = inTime.slice(missed === "all" ? -mostMissed : -1);
  const hasMore = due.length > mostMissed;
  return {
    fire,
    record: fire.length === 0 ? (due.at(-1) ?? null) : null,
    skipped: due.length - fire.length,
    hasMore: hasMore && due.length > fire.length,
  };
}
