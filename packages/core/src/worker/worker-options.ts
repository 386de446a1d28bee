import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import type { AppSettings } from "../app-options.ts";
import { defaultDecodeLimits, type DecodeLimits } from "../celery-body.ts";
import { durationMs, type Duration } from "../duration.ts";
import { assertKind, refuseUnknownOptions, wholeNumber } from "../known-options.ts";
import { didYouMean } from "../nearest.ts";
import { ConfigError } from "../q-error.ts";
import type { Task } from "../task.ts";
import type { EventListener } from "./worker-event.ts";
import { readTimeLimits } from "../time-limit-options.ts";

export interface WorkerOptions {
  /** Queues to take from, in turns; a name that stands n times gets n turns. Default: all of the app's. */
  readonly queues?: readonly string[];
  /** Most tasks that run at once. Default 10. */
  readonly concurrency?: number;
  /**
   * Messages to hold beyond the free slots. Default: none, but while tasks take less time than a fetch up to 500, and no more of them than
   * make two megabytes. Those go back to the queue when they have waited for a second, behind a long task. What is held because you say so stays.
   */
  readonly prefetch?: number;
  /** Shown to people; unique among the workers. Default: the host's name and eight random digits. */
  readonly name?: string;
  /** Which build of the program this is, such as a commit: shown to people beside the worker's name. Default none. */
  readonly release?: string;
  /** How long `stop` waits for running tasks. Default `"25s"`. */
  readonly shutdownTimeout?: Duration;
  /** For tasks that have none. Default none. */
  readonly softTimeLimit?: Duration;
  /** For tasks that have none. Default none. */
  readonly timeLimit?: Duration;
  /**
   * Largest stored body that is read, in bytes; a message with a larger one is dead-lettered. Default 1,048,576, or the largest `maxMessageSize` of
   * the app and of the tasks that it has by then.
   */
  readonly maxMessageBytes?: number;
  /** Told of everything that happens to a message. */
  readonly onEvent?: EventListener;
}

/** The options of a worker, checked, with every default filled in. */
export interface WorkerSettings {
  readonly queues: readonly string[];
  readonly concurrency: number;
  readonly prefetch: number | undefined;
  readonly name: string;
  readonly release: string | undefined;
  readonly shutdownTimeoutMs: number;
  readonly softTimeLimitMs: number | null;
  readonly timeLimitMs: number | null;
  readonly decodeLimits: DecodeLimits;
  readonly onEvent: EventListener | undefined;
}

const known = [
  "queues",
  "concurrency",
  "prefetch",
  "name",
  "release",
  "shutdownTimeout",
  "softTimeLimit",
  "timeLimit",
  "maxMessageBytes",
  "onEvent",
] satisfies (keyof WorkerOptions)[];

/**
 * @throws ConfigError `Q2003` for a queue that the app does not declare, `Q2010` to `Q2012` and `Q2030` for a bad option
 */
export function readWorkerOptions(
  options: WorkerOptions,
  app: AppSettings,
  tasks: ReadonlyMap<string, Task<never>>,
): WorkerSettings {
  refuseUnknownOptions("createWorker()", options, known);
  const { name, release, onEvent } = options;
  assertKind("queues", options.queues, "an array of strings", 'queues: ["default"]');
  assertKind("name", name, "a string");
  assertKind("release", release, "a string");
  assertKind("onEvent", onEvent, "a function");
  const declared = app.queues.map((queue) => queue.name);
  const queues = options.queues ?? declared;
  for (const queue of queues) assertDeclared(queue, declared);
  if (queues.length === 0)
    throw new ConfigError("Q2015", "a worker needs at least one queue", { details: { known: declared.join(", ") } });
  return {
    queues,
    concurrency: wholeNumber("concurrency", options.concurrency ?? 10, { from: 1, to: 10_000 }),
    prefetch:
      options.prefetch === undefined ? undefined : wholeNumber("prefetch", options.prefetch, { from: 0, to: 10_000 }),
    name: name ?? `${hostname()}-${randomBytes(4).toString("hex")}`,
    release,
    shutdownTimeoutMs: durationMs(options.shutdownTimeout ?? "25s", "shutdownTimeout"),
    ...readTimeLimits(options),
    decodeLimits: {
      ...defaultDecodeLimits,
      maxBytes: wholeNumber("maxMessageBytes", options.maxMessageBytes ?? largestSent(app, tasks), { from: 64 }),
    },
    onEvent,
  };
}

/** What is sent is read. */
function largestSent({ maxMessageSize }: AppSettings, tasks: ReadonlyMap<string, Task<never>>): number {
  const ofTasks = [...tasks.values()].map((task) => task.maxMessageSize ?? 0);
  return Math.max(defaultDecodeLimits.maxBytes, maxMessageSize, ...ofTasks);
}

/**
 * @throws ConfigError `Q2003`
 */
export function assertDeclared(queue: string, declared: readonly string[], where = ""): void {
  if (declared.includes(queue)) return;
  throw new ConfigError("Q2003", `no queue named "${queue}"${where}`, {
    hint: didYouMean(queue, declared) ?? `add "${queue}" to the queues of createApp`,
    details: { known: declared.join(", ") },
  });
}
