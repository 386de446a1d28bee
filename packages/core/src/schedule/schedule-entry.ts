import type { Duration } from "../duration.ts";
import type { JsonObject } from "../json.ts";

/** What a scheduled call may say about its message. */
export interface ScheduleSendOptions<Queue extends string = string> {
  /** One of the app's queues. Default: the task's. */
  readonly queue?: Queue;
  /** 0 to 9, higher first, on queues with priorities. */
  readonly priority?: number;
  /** Drop it when it has not started so long after its tick was sent. */
  readonly expires?: Duration;
  readonly headers?: JsonObject;
  readonly softTimeLimit?: Duration;
  readonly timeLimit?: Duration;
  readonly maxRetries?: number;
}

/** When a task is sent by itself, and how. Has either `cron` or `every`. */
export interface ScheduleEntry<Queue extends string = string> {
  /** Name of one of the app's tasks. */
  readonly task: string;
  /**
   * Minute, hour, day of month, month, day of week, with a field for seconds in front if need be; or `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`.
   * When both days are given, either will do. At most 256 characters.
   */
  readonly cron?: string;
  /** So often, counted from 1970-01-01T00:00Z, not from a start: `"90s"`. At least a second. */
  readonly every?: Duration;
  /** Time zone of `cron`, as `Europe/Vienna`. Default `UTC`, wherever the process runs. */
  readonly timezone?: string;
  /** Named arguments, or a list for a task that takes positional ones. Default none. */
  readonly args?: object;
  readonly options?: ScheduleSendOptions<Queue>;
  /**
   * What becomes of ticks that no process was there to send: `one`, the newest is sent (default); `all`, each is, up to the hundred newest; `skip`,
   * none, unless the newest is less than `startDeadline` or a minute late.
   */
  readonly missed?: "skip" | "one" | "all";
  /** How late a tick may still be sent. Default: no limit; for `missed: "skip"` a minute. */
  readonly startDeadline?: Duration;
  /** `skip`: a run is skipped when one of an earlier tick has not ended. Needs a broker with leases. Default `allow`. */
  readonly overlap?: "allow" | "skip";
  /**
   * `drop`: of a tick that was sent twice, workers run one message. Only RabbitMQ can send one twice, when the cron process that sends for all dies; there
   * each run first asks the one that does now. Default `allow`.
   */
  readonly duplicates?: "allow" | "drop";
  /** Sends each tick up to so much later: always the same for one name, so that many schedules of one hour do not start at once. Default none. */
  readonly jitter?: Duration;
}
