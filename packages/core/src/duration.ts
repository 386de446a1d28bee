import { ConfigError } from "./q-error.ts";

/** A length of time with its unit: `"250ms"`, `"30s"`, `"5m"`, `"12h"`, `"7d"`. Fractions are allowed: `"1.5s"`. */
export type Duration = `${number}${"ms" | "s" | "m" | "h" | "d"}`;

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const pattern = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;

/** A thousand years. What is longer is a slip of the keyboard, and its sum with a date is none that a broker could store. */
const mostDays = 365_000;

/**
 * Milliseconds of a duration, rounded to a whole number.
 * @param name the option it was given for, named in the error
 * @throws ConfigError `Q2010` when it is not a duration, or one of more than a thousand years
 */
export function durationMs(duration: Duration, name = "duration"): number {
  const match = typeof duration === "string" ? pattern.exec(duration) : null;
  if (match === null) {
    throw new ConfigError("Q2010", `${name} is ${JSON.stringify(duration)}: expected a number with a unit`, {
      hint: `write ${suggestion(duration)}; the units are ms, s, m, h and d`,
    });
  }
  // The pattern guarantees both groups.
  const [, amount, unit] = match as unknown as [string, string, keyof typeof unitMs];
  const ms = Math.round(Number(amount) * unitMs[unit]);
  if (ms <= mostDays * unitMs.d) return ms;
  throw new ConfigError("Q2010", `${name} is ${JSON.stringify(duration)}: expected at most ${mostDays}d`);
}

/**
 * Milliseconds of a time limit, `null` where there is none.
 * @throws ConfigError `Q2010` when it is not a duration, or no time at all
 */
export function limitMs(duration: Duration | undefined, name: string): number | null {
  if (duration === undefined) return null;
  const ms = durationMs(duration, name);
  if (ms > 0) return ms;
  throw new ConfigError("Q2010", `${name} is "${duration}": expected more than nothing`, {
    hint: "leave it out for no limit",
  });
}

function suggestion(value: unknown): string {
  const amount = Number.parseFloat(String(value));
  return Number.isFinite(amount) && amount >= 0 ? `"${amount}s" or "${amount}ms"` : '"30s"';
}

/** The shortest exact way to write a number of milliseconds for people: `1.2 s`, `4 min 12 s`, `3 h 18 min`. */
export function formatMs(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(Math.round(ms / 100) / 10).toString()} s`;
  const seconds = Math.round(ms / 1000);
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor((seconds % 86_400) / 3600), "h"],
    [Math.floor((seconds % 3600) / 60), "min"],
    [seconds % 60, "s"],
  ];
  const first = parts.findIndex(([amount]) => amount > 0);
  return parts
    .slice(first, first + 2)
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount} ${unit}`)
    .join(" ");
}
