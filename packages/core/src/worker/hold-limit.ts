import type { HoldLimit } from "../broker/broker.ts";
import { formatMs } from "../duration.ts";
import { ConfigError } from "../q-error.ts";
import type { Task } from "../task.ts";

/** The rest is for what a message waits in the worker before it starts, and for storing its outcome. */
const share = 0.8;

/**
 * Refuses tasks that may run for longer than the broker lets a worker hold their messages: they would run again elsewhere, and again.
 * @param workersLimitMs of tasks without a time limit of their own; `null` is none
 * @throws ConfigError `Q2033`
 */
export function checkHoldLimit(
  { ms, hint }: HoldLimit,
  tasks: Iterable<Pick<Task<never>, "name" | "timeLimitMs">>,
  workersLimitMs: number | null,
): void {
  for (const { name, timeLimitMs } of tasks) {
    const limitMs = timeLimitMs ?? workersLimitMs;
    if (limitMs === null || limitMs <= ms * share) continue;
    throw new ConfigError(
      "Q2033",
      `the task "${name}" may run for ${formatMs(limitMs)}, and the broker takes its message back after ${formatMs(ms)}`,
      { hint: `keep its timeLimit to ${formatMs(ms * share)}, or raise the broker's: ${hint}` },
    );
  }
}
