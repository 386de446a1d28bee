import { limitMs, type Duration } from "./duration.ts";
import { ConfigError } from "./q-error.ts";

/** Limits of a run, `null` where there is none. Milliseconds. */
export interface TimeLimitsMs {
  readonly softTimeLimitMs: number | null;
  readonly timeLimitMs: number | null;
}

/**
 * @param owner whose they are, as it stands behind their names in an error: ` of task "a"`
 * @throws ConfigError `Q2010` when one is not a duration, or no time at all, or the soft one would come too late to be heard
 */
export function readTimeLimits(
  options: { readonly softTimeLimit?: Duration | undefined; readonly timeLimit?: Duration | undefined },
  owner = "",
): TimeLimitsMs {
  const softTimeLimitMs = limitMs(options.softTimeLimit, `softTimeLimit${owner}`);
  const timeLimitMs = limitMs(options.timeLimit, `timeLimit${owner}`);
  if (softTimeLimitMs !== null && timeLimitMs !== null && softTimeLimitMs >= timeLimitMs)
    throw new ConfigError(
      "Q2010",
      `softTimeLimit${owner} is "${options.softTimeLimit}", and timeLimit "${options.timeLimit}"`,
      { hint: "the soft one is the warning, and comes first: make it shorter" },
    );
  return { softTimeLimitMs, timeLimitMs };
}
