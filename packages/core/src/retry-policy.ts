import { durationMs, type Duration } from "./duration.ts";
import { describeKind, refuseUnknownOptions } from "./known-options.ts";
import { ConfigError } from "./q-error.ts";

/** An error class, matched by `instanceof`, or a string, matched against the error's `name` and `code`: for errors that cross package copies. */
export type ErrorMatcher = (abstract new (...args: never[]) => unknown) | string;

/** Delays that grow with each retry. */
export interface Backoff {
  readonly type: "exponential";
  /** What each delay is multiplied by. Default 2, at least 1. */
  readonly factor?: number;
  /** Longest delay. Default `"1h"`. */
  readonly max?: Duration;
  /** Whether the delay is drawn evenly between 0 and its full length, so that failures do not come back together. Default true. */
  readonly jitter?: boolean;
}

export interface RetryOptions {
  /** Errors that are retried. Default: every error. */
  readonly on?: readonly ErrorMatcher[];
  /** Errors that are not, although `on` matches: the message is dead at once. */
  readonly exclude?: readonly ErrorMatcher[];
  /** Errors that mean there is nothing to do: the message is done, recorded as ignored. */
  readonly ignore?: readonly ErrorMatcher[];
  /** Default: every delay is the task's `defaultRetryDelay`, which is also the first delay of a backoff. */
  readonly backoff?: Backoff;
}

/** Which error leads to what, after how long. Made by `retry()`. */
export interface RetryPolicy {
  readonly on: readonly ErrorMatcher[] | null;
  readonly exclude: readonly ErrorMatcher[];
  readonly ignore: readonly ErrorMatcher[];
  readonly backoff: { readonly factor: number; readonly maxMs: number; readonly jitter: boolean } | null;
}

/**
 * The errors of a task and what becomes of them: `ignore` is asked first, then `exclude`, then `on`; what none of them matches is dead at once.
 * @throws ConfigError `Q2011`, `Q2013`, `Q2030` for options that make no sense
 */
export function retry(options: RetryOptions = {}): RetryPolicy {
  refuseUnknownOptions("retry()", options, ["on", "exclude", "ignore", "backoff"]);
  const { on, exclude = [], ignore = [], backoff } = options;
  for (const [name, list] of Object.entries({ on: on ?? [], exclude, ignore })) checkMatchers(name, list);
  return { on: on ?? null, exclude, ignore, backoff: backoff === undefined ? null : readBackoff(backoff) };
}

/** Whether it was made by `retry()`, which callers without types may have left out. */
export function isRetryPolicy(value: RetryPolicy): boolean {
  if (value === null || typeof value !== "object") return false;
  const { on, exclude, ignore, backoff } = value;
  const areLists = [on ?? [], exclude, ignore].every((list) => Array.isArray(list));
  return areLists && on !== undefined && (backoff === null || typeof backoff === "object");
}

/** What a retry policy says about an error. No policy: everything fails. */
export function verdict(policy: RetryPolicy | undefined, error: unknown): "ignore" | "fail" | "retry" {
  if (policy === undefined) return "fail";
  if (policy.ignore.some((matcher) => matches(error, matcher))) return "ignore";
  if (policy.exclude.some((matcher) => matches(error, matcher))) return "fail";
  return policy.on === null || policy.on.some((matcher) => matches(error, matcher)) ? "retry" : "fail";
}

/**
 * Milliseconds until the next attempt.
 * @param retries how often it was retried so far, 0 at the first failure
 * @param random from 0 to 1, for the jitter
 */
export function retryDelayMs(
  policy: RetryPolicy | undefined,
  defaultDelayMs: number,
  retries: number,
  random: number,
): number {
  if (policy === undefined || policy.backoff === null) return defaultDelayMs;
  const { factor, maxMs, jitter } = policy.backoff;
  // The exponent is bounded: beyond it the product is past every maximum anyway.
  const full = Math.min(maxMs, defaultDelayMs * Math.min(factor ** Math.min(retries, 64), Number.MAX_VALUE));
  return Math.round(jitter ? full * random : full);
}

function matches(error: unknown, matcher: ErrorMatcher): boolean {
  try {
    if (typeof matcher === "function") return error instanceof matcher;
    if (typeof error !== "object" || error === null) return false;
    const { name, code } = error as { name?: unknown; code?: unknown };
    return name === matcher || code === matcher;
  } catch {
    // Whatever is thrown may have getters that throw.
    return false;
  }
}

function checkMatchers(name: string, list: unknown): void {
  if (!Array.isArray(list)) {
    throw new ConfigError(
      "Q2013",
      `retry({ ${name} }) is ${describeKind(list)}: expected an array of error classes or names`,
      {
        hint: `retry({ ${name}: [DatabaseUnavailable] })`,
      },
    );
  }
  list.forEach((matcher, index) => {
    if (typeof matcher === "string" || isClass(matcher)) return;
    throw new ConfigError(
      "Q2013",
      `retry({ ${name} }) has ${describe(matcher)} at position ${index}: expected an error class or a name`,
      {
        hint: "an import that is undefined here usually means two files import each other",
      },
    );
  });
}

/** An arrow function has no prototype, and `instanceof` would throw. */
function isClass(matcher: unknown): boolean {
  return typeof matcher === "function" && typeof matcher.prototype === "object";
}

function describe(matcher: unknown): string {
  return typeof matcher === "function" ? "a function that is no class" : String(matcher);
}

function readBackoff(backoff: Backoff): RetryPolicy["backoff"] {
  refuseUnknownOptions("retry({ backoff })", backoff, ["type", "factor", "max", "jitter"]);
  const { type, factor = 2, max = "1h", jitter = true } = backoff;
  if (type !== "exponential" || !(factor >= 1 && factor < Infinity)) {
    throw new ConfigError(
      "Q2013",
      `retry({ backoff }) has type ${JSON.stringify(type)} and factor ${factor}: expected "exponential" and a finite number of at least 1`,
    );
  }
  return { factor, maxMs: durationMs(max, "backoff.max"), jitter };
}
