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
