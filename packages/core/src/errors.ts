import { durationMs, type Duration } from "./duration.ts";
import { QError } from "./q-error.ts";

/** Thrown by a handler: there is nothing to do. The message is acknowledged and recorded as ignored. */
export class Ignore extends Error {
  override readonly name = "Ignore";

  constructor(reason = "ignored by the task") {
    super(reason);
  }
}

/** Thrown by a handler: nobody can ever do this. The message goes to the dead letters at once, whatever the retry policy. */
export class Reject extends Error {
  override readonly name = "Reject";

  constructor(reason = "rejected by the task", options?: ErrorOptions) {
    super(reason, options);
  }
}

/** What `ctx.retry()` makes, for the handler to throw: run this again later, counted as a retry. */
export class Retry extends Error {
  override readonly name = "Retry";
  /** Milliseconds; `undefined` leaves it to the task's policy. */
  readonly delayMs: number | undefined;

  constructor(
    options: {
      readonly delay?: Duration | undefined;
      readonly reason?: string | undefined;
      readonly cause?: unknown;
    } = {},
  ) {
    super(
      options.reason ?? "the task asked to be retried",
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.delayMs = options.delay === undefined ? undefined : durationMs(options.delay, "retry delay");
  }
}

/** Why an attempt was ended from outside. Codes `Q4xxx`. The reason of `ctx.signal`, so a handler that passes the signal on throws it. */
export class AttemptError extends QError {}

/** The attempt ran past its soft limit. `Q4010`. Goes through the task's retry policy like any error. */
export class SoftTimeLimitExceeded extends AttemptError {
  constructor(limitMs: number) {
    super("Q4010", `ran past its soft time limit of ${limitMs} ms`);
  }
}

/** The attempt ran past its hard limit and was given up, though its code may still run. `Q4002`. */
export class TimeLimitExceeded extends AttemptError {
  constructor(limitMs: number) {
    super("Q4002", `ran past its time limit of ${limitMs} ms and was given up`, {
      hint: "pass ctx.signal to fetch and database calls, so that the work really stops",
    });
  }
}

/** The worker is stopping. `Q4005`. What throws because of it goes back to the queue, uncounted. */
export class WorkerStopping extends AttemptError {
  constructor() {
    super("Q4005", "the worker is stopping");
  }
}

/** Another worker may own the message now; whatever this attempt returns is dropped. `Q4004`. */
export class LeaseLost extends AttemptError {
  constructor() {
    super("Q4004", "this worker no longer holds the message: another one may run it", {
      hint: "make the task safe to run twice, or hand ctx.fence to your store",
    });
  }
}

export const isIgnore = (error: unknown): error is Ignore => hasName(error, "Ignore", Ignore);
export const isReject = (error: unknown): error is Reject => hasName(error, "Reject", Reject);
export const isRetry = (error: unknown): error is Retry => hasName(error, "Retry", Retry) && hasDelay(error);

/** An error of that name may be somebody else's, with a delay that no broker could keep, or with none. */
function hasDelay(error: unknown): boolean {
  try {
    const { delayMs } = error as Partial<Retry>; // by its name
    return delayMs === undefined ? Object.hasOwn(error as object, "delayMs") : Number.isFinite(delayMs) && delayMs >= 0;
  } catch {
    return false;
  }
}

/** By class, or by name and shape for one that comes from another copy of this package. */
function hasName(error: unknown, name: string, type: abstract new (...args: never[]) => Error): boolean {
  try {
    return error instanceof type || (error instanceof Error && error.name === name && error.constructor.name === name);
  } catch {
    // Whatever is thrown may have getters that throw.
    return false;
  }
}
