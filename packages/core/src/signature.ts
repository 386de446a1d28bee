import type { Duration } from "./duration.ts";
import { durationMs } from "./duration.ts";
import { assertKind, refuseUnknownOptions, wholeNumber } from "./known-options.ts";
import type { JsonObject } from "./json.ts";
import { ConfigError } from "./q-error.ts";
import { readTimeLimits } from "./time-limit-options.ts";

/** How one call differs from the task's own settings. */
export interface SendOptions {
  /** Not before this long from now. Not together with `eta`. */
  readonly countdown?: Duration | undefined;
  /** Not before this time. In the past: at once. */
  readonly eta?: Date | undefined;
  /** Drop it when it has not started by then; when it has failed and waits for its retry it is dead. */
  readonly expires?: Duration | Date | undefined;
  /** 0 to 9, higher first, on queues with priorities. */
  readonly priority?: number | undefined;
  /** One of the app's queues. */
  readonly queue?: string | undefined;
  /** 1 to 255 bytes. Default: a new UUID. Not a guard against duplicates: that is `key`. */
  readonly taskId?: string | undefined;
  /**
   * Sends at most once per key: a second send with the same key to the same queue within `keyTtl` is a duplicate and stores nothing. 1 to
   * 255 bytes. Counts from the send, whatever becomes of the message. Needs a broker that can (`Q2025`).
   */
  readonly key?: string | undefined;
  /** How long `key` counts as used. Default `"1h"`. */
  readonly keyTtl?: Duration | undefined;
  /** Flat, next to Celery's own, whose names they cannot take. */
  readonly headers?: JsonObject | undefined;
  readonly softTimeLimit?: Duration | undefined;
  readonly timeLimit?: Duration | undefined;
  readonly maxRetries?: number | undefined;
}

/** A task call as a value. */
export interface Signature {
  readonly task: string;
  /** Named arguments, or positional ones for a task that wants them so. */
  readonly args: unknown;
  readonly options: SendOptions;
}

/** A call that the broker has taken responsibility for, or that it had already. */
export interface Sent {
  /** Of a duplicate: the id that it would have got. No message has it. */
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  /** Its `key` was used before, and nothing was stored. Always `false` without a key. */
  readonly duplicate: boolean;
}

/** The options of a call in milliseconds; `null` where the call says nothing. */
export interface ReadSendOptions {
  readonly etaMs: number | null;
  readonly expiresMs: number | null;
  readonly priority: number | null;
  readonly softTimeLimitMs: number | null;
  readonly timeLimitMs: number | null;
  readonly maxRetries: number | null;
}

const known = [
  "countdown",
  "eta",
  "expires",
  "priority",
  "queue",
  "taskId",
  "key",
  "keyTtl",
  "headers",
  "softTimeLimit",
  "timeLimit",
  "maxRetries",
] satisfies (keyof SendOptions)[];

const none: ReadSendOptions = {
  etaMs: null,
  expiresMs: null,
  priority: null,
  softTimeLimitMs: null,
  timeLimitMs: null,
  maxRetries: null,
};

/**
 * @throws ConfigError `Q2010` to `Q2012`, `Q2030`; `Q2017` for a time that is none, or two of them
 */
export function readSendOptions(task: string, options: SendOptions, nowMs: number): ReadSendOptions {
  // For callers without types, `null` and a text.
  if (options !== null && typeof options === "object" && Object.keys(options).length === 0) return none;
  const where = `a send of ${task}`;
  refuseUnknownOptions(where, options, known);
  assertKind(`queue of ${task}`, options.queue, "a string");
  const { countdown, eta, expires, priority, maxRetries } = options;
  if (countdown !== undefined && eta !== undefined) {
    throw new ConfigError("Q2017", `${where} has both countdown and eta`, { hint: "keep one of them" });
  }
  return {
    etaMs:
      countdown === undefined ? timeOf(eta, `eta of ${task}`) : nowMs + durationMs(countdown, `countdown of ${task}`),
    expiresMs:
      typeof expires === "string"
        ? nowMs + durationMs(expires, `expires of ${task}`)
        : timeOf(expires, `expires of ${task}`),
    priority: priority === undefined ? null : wholeNumber(`priority of ${task}`, priority, { from: 0, to: 9 }),
    ...readTimeLimits(options, ` of ${task}`),
    maxRetries: maxRetries === undefined ? null : wholeNumber(`maxRetries of ${task}`, maxRetries, { from: 0 }),
  };
}

function timeOf(date: Date | undefined, name: string): number | null {
  if (date === undefined) return null;
  if (date instanceof Date && !Number.isNaN(date.getTime())) return date.getTime();
  throw new ConfigError("Q2017", `${name} is not a valid Date`, {
    hint: 'a Date, or countdown: "30s" for a length of time',
  });
}
