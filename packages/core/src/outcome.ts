import type { DeadReason } from "./broker/delivery.ts";
import { errorRecord, errorRecordToJson, type ErrorRecord } from "./error-record.ts";
import { isIgnore, isReject, isRetry } from "./errors.ts";
import { retryDelayMs, verdict, type RetryPolicy } from "./retry-policy.ts";

/** How one run of a handler ended. `refused`: it was not called, its arguments are not what the task takes. */
export type RunResult = { readonly kind: "returned" } | { readonly kind: "threw" | "refused"; readonly error: unknown };

/** What counts when a run has failed. */
export interface FailurePolicy {
  readonly retryPolicy: RetryPolicy | undefined;
  readonly defaultRetryDelayMs: number;
  readonly maxRetries: number;
  /** Retries so far. */
  readonly retries: number;
  /** Its message is acknowledged already: nothing can be retried. */
  readonly isAtMostOnce: boolean;
}

/** What a run means for its message, before it is put into a broker's words. */
export type Decision =
  | { readonly kind: "succeeded" }
  | { readonly kind: "ignored"; readonly error: ErrorRecord }
  | { readonly kind: "retry"; readonly delayMs: number; readonly error: ErrorRecord }
  | { readonly kind: "dead"; readonly reason: DeadReason; readonly error: ErrorRecord };

/**
 * Decides what becomes of a message after a run. The order: `Ignore`, `Reject` and `ctx.retry()` say it themselves; arguments that
 * the task refuses are dead, since trying again cannot change them; everything else goes through the retry policy.
 * @param random from 0 to 1, for the jitter of a backoff
 */
export function decide(result: RunResult, policy: FailurePolicy, random: number): Decision {
  if (result.kind === "returned") return { kind: "succeeded" };
  const { error: thrown } = result;
  const error = errorRecord(thrown);
  if (result.kind === "refused") return dead("invalid-arguments", error);
  if (isIgnore(thrown)) return { kind: "ignored", error };
  if (isReject(thrown)) return dead("rejected", error);
  if (isRetry(thrown)) return retryOrDead(thrown.delayMs, error, policy, random);
  switch (verdict(policy.retryPolicy, thrown)) {
    case "ignore":
      return { kind: "ignored", error };
    case "fail":
      return dead("failed", error);
    case "retry":
      return retryOrDead(undefined, error, policy, random);
  }
}

/** Whether a handler that throws this has itself decided what becomes of its message. */
export function isVerdict(error: unknown): boolean {
  return isIgnore(error) || isReject(error) || isRetry(error);
}

function retryOrDead(delayMs: number | undefined, error: ErrorRecord, policy: FailurePolicy, random: number): Decision {
  const { retryPolicy, defaultRetryDelayMs, retries, maxRetries, isAtMostOnce } = policy;
  if (isAtMostOnce) return dead("failed", error);
  if (retries >= maxRetries) return dead("retries-exhausted", error);
  return { kind: "retry", delayMs: delayMs ?? retryDelayMs(retryPolicy, defaultRetryDelayMs, retries, random), error };
}

function dead(code: string, error: ErrorRecord): Decision {
  return {
    kind: "dead",
    reason: { code, message: `${error.name}: ${error.message}`, error: errorRecordToJson(error) },
    error,
  };
}
