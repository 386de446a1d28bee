import { durationMs, type Duration } from "@q/core";
import { UsageError } from "./cli-errors.ts";

/**
 * Milliseconds of `30s`, `5m`, `1.5h`. `undefined` stays `undefined`.
 * @param flag the flag or variable that it was given for, named in the error
 * @throws ConfigError `Q2010`
 */
export function flagDurationMs(flag: string, value: string | undefined): number | undefined {
  // durationMs refuses what is not a duration.
  return value === undefined ? undefined : durationMs(value as Duration, flag);
}

/**
 * The same, checked, in its own words.
 * @throws ConfigError `Q2010`
 */
export function flagDuration(flag: string, value: string | undefined): Duration | undefined {
  if (value === undefined) return undefined;
  const duration = value as Duration;
  durationMs(duration, flag);
  return duration;
}

/**
 * A time in ISO 8601, `2026-11-22T09:00:00Z`; without a zone it is of the machine's. What else `Date` would read is a mistake here: `60` is to it the
 * year 1960.
 * @throws UsageError `Q2103`
 */
export function flagTime(
  flag: string,
  value: string | undefined,
  expected = "a time such as 2026-11-22T09:00:00Z",
): Date | undefined {
  if (value === undefined) return undefined;
  const day = /^(\d{4}-\d{2}-\d{2})([T ]\d{2}:\d{2}.*)?$/i.exec(value)?.[1];
  const time = new Date(value);
  // Date would take the 30th of February for the 2nd of March.
  const isDay = day !== undefined && new Date(Date.parse(day) || 0).toISOString().startsWith(day);
  if (isDay && !Number.isNaN(time.getTime())) return time;
  throw new UsageError("Q2103", `${flag} is "${value}": expected ${expected}`);
}

/** @throws UsageError `Q2103` when it is not a whole number in the range */
export function flagNumber(
  flag: string,
  value: string | undefined,
  range: { readonly from: number; readonly to: number },
): number | undefined {
  if (value === undefined) return undefined;
  const number = /^-?\d+$/.test(value) ? Number(value) : Number.NaN;
  if (number >= range.from && number <= range.to) return number;
  throw new UsageError("Q2103", `${flag} is "${value}": expected a whole number from ${range.from} to ${range.to}`);
}

const unitBytes = { kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 } as const;

/**
 * Bytes of `512mb`, `2gb`, in any case.
 * @throws UsageError `Q2103`
 */
export function flagBytes(flag: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const match = /^(\d+(?:\.\d+)?)(kb|mb|gb)$/i.exec(value);
  if (match === null) throw new UsageError("Q2103", `${flag} is "${value}": expected a size, such as 512mb or 2gb`);
  // The pattern guarantees both groups.
  const [, amount, unit] = match as unknown as [string, string, string];
  return Math.round(Number(amount) * unitBytes[unit.toLowerCase() as keyof typeof unitBytes]);
}

/**
 * One of a few words, in any case.
 * @throws UsageError `Q2103`
 */
export function flagChoice<const T extends string>(
  flag: string,
  value: string | undefined,
  choices: readonly T[],
): T | undefined {
  if (value === undefined) return undefined;
  const found = choices.find((choice) => choice === value.toLowerCase());
  if (found !== undefined) return found;
  throw new UsageError("Q2103", `${flag} is "${value}": expected one of ${choices.join(", ")}`);
}

/** The items of `-Q a,b -Q c`: `["a", "b", "c"]`. Empty ones are left out. */
export function flagList(values: readonly string[]): string[] {
  return values
    .flatMap((value) => value.split(","))
    .map((item) => item.trim())
    .filter((item) => item !== "");
}
