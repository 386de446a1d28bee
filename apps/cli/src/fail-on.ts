import { durationMs, formatMs, type Duration } from "@q/core";
import type { QueueStats } from "@q/core/broker";
import { UsageError } from "./cli-errors.ts";

type Measure = (stats: QueueStats) => number | null;

const measures: Readonly<Record<MeasureName, Measure>> = {
  waiting: (stats: QueueStats) => stats.ready,
  oldest: (stats: QueueStats) => stats.oldestReadyMs,
  later: (stats: QueueStats) => stats.delayed,
  running: (stats: QueueStats) => stats.inFlight,
  dead: (stats: QueueStats) => stats.dead,
  workers: (stats: QueueStats) => stats.consumers,
};

const comparisons: Readonly<Record<string, (value: number, limit: number) => boolean>> = {
  ">": (value, limit) => value > limit,
  ">=": (value, limit) => value >= limit,
  "<": (value, limit) => value < limit,
  "<=": (value, limit) => value <= limit,
};

type MeasureName = "waiting" | "oldest" | "later" | "running" | "dead" | "workers";

/** One condition of `--fail-on`, such as `oldest>5m`. */
export interface FailCondition {
  readonly text: string;
  readonly measure: MeasureName;
  readonly isMet: (value: number) => boolean;
}

/**
 * Reads `oldest>5m,dead>0`.
 * @throws UsageError `Q2103`
 */
export function parseFailOn(text: string | undefined): FailCondition[] {
  if (text === undefined) return [];
  return text.split(",").map((part) => {
    const [, measure = "", operator = "", limit = ""] = /^\s*([a-z]+)\s*(>=|<=|>|<)\s*(\S+)\s*$/.exec(part) ?? [];
    const compare = comparisons[operator];
    const bound = measure === "oldest" ? durationMs(limit as Duration, `--fail-on ${measure}`) : Number(limit);
    if (!isMeasure(measure) || compare === undefined || !Number.isFinite(bound)) {
      throw new UsageError("Q2103", `--fail-on does not understand "${part}"`, {
        hint: `write measure, comparison, limit: oldest>5m,dead>0`,
        details: { measures: Object.keys(measures).join(", ") },
      });
    }
    return { text: part.trim(), measure, isMet: (value) => compare(value, bound) };
  });
}

/** What is met, in words, one queue a line. A measure that the broker cannot tell counts as met: a monitor must not take silence for health. */
export function metConditions(conditions: readonly FailCondition[], queues: readonly QueueStats[]): string[] {
  return conditions.flatMap(({ text, measure, isMet }) =>
    queues.flatMap((stats) => {
      const value = measures[measure](stats);
      if (value === null) return [`${stats.queue}: this broker cannot tell ${measure}`];
      return isMet(value) ? [`${stats.queue}: ${text} (${measure === "oldest" ? formatMs(value) : value})`] : [];
    }),
  );
}

function isMeasure(name: string): name is MeasureName {
  return Object.hasOwn(measures, name);
}
