import { dirname } from "node:path";
import type { Broker, QueueOptions } from "./broker/broker.ts";
import type { SourceLocation } from "./call-site.ts";
import { systemClock, type Clock } from "./clock.ts";
import { durationMs, type Duration } from "./duration.ts";
import { assertKind, refuseUnknownOptions, wholeNumber, wrongKind } from "./known-options.ts";
import { silentLogger, type Logger } from "./logger.ts";
import type { Middleware } from "./middleware.ts";
import { ConfigError } from "./q-error.ts";
import type { ScheduleEntry } from "./schedule/schedule-entry.ts";
import { readSchedule, type Schedule } from "./schedule/schedule.ts";

/** A queue: its name, or its name with options. */
export type QueueDeclaration<Queue extends string = string> =
  | Queue
  | {
      readonly name: Queue;
      /** Whether messages of higher `priority` go first. Default false: strictly in order. */
      readonly priorities?: boolean;
    };

export interface AppOptions<Queue extends string = string> {
  /** Where messages are stored. May be left out when the `q` command or a test supplies one. */
  readonly broker?: Broker;
  /** Every queue that this app's tasks use. The first is the queue of tasks that name none. */
  readonly queues: readonly QueueDeclaration<Queue>[];
  /** Task modules, as globs relative to `root`: a worker knows a task only when its module was loaded. Default none. */
  readonly imports?: readonly string[];
  /** Folder that `imports` start from. Default: the one of the file that calls `createApp`. */
  readonly root?: string;
  /** Tasks that cron processes send at their time, by a name that stays: it names their ticks. Default none. */
  readonly schedule?: Readonly<Record<string, ScheduleEntry<NoInfer<Queue>>>>;
  /** Around every send and every run; the first is the outermost. Default none. */
  readonly middleware?: readonly Middleware[];
  /** Largest body that is sent, in bytes, with the headers that the sender and middleware attach. Default 65,536. A task may have its own. */
  readonly maxMessageSize?: number;
  /** Longest time in which the sends to a queue make no progress. Of many at once, the last may take longer. Default `"10s"`. */
  readonly publishTimeout?: Duration;
  /** Bytes of messages that may wait to be sent. Default 268,435,456. */
  readonly maxBufferedBytes?: number;
  /** Workers that may die with a message before it is dead-lettered as poison. Default 3, at least 2: the first death does not tell who did it. */
  readonly maxCrashes?: number;
  /** How long a message whose task no worker knows is kept waiting before it is dead-lettered. Default `"24h"`. */
  readonly parkFor?: Duration;
  /** A pino logger is one. Default: says nothing; the `q` command sets its own. */
  readonly logger?: Logger;
  readonly clock?: Clock;
  /** Runs each task in the process that sends it, at once. For tests: it still serialises and validates. Default false. */
  readonly eager?: boolean;
}

/** The options of an app, checked, with every default filled in. */
export interface AppSettings {
  readonly broker: Broker | undefined;
  readonly queues: readonly QueueOptions[];
  readonly imports: readonly string[];
  readonly root: string;
  readonly schedule: readonly Schedule[];
  readonly middleware: readonly Middleware[];
  readonly maxMessageSize: number;
  readonly publishTimeoutMs: number;
  readonly maxBufferedBytes: number;
  readonly maxCrashes: number;
  readonly parkForMs: number;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly eager: boolean;
}

const known = [
  "broker",
  "queues",
  "imports",
  "root",
  "schedule",
  "middleware",
  "maxMessageSize",
  "publishTimeout",
  "maxBufferedBytes",
  "maxCrashes",
  "parkFor",
  "logger",
  "clock",
  "eager",
] satisfies (keyof AppOptions)[];

/**
 * @throws ConfigError `Q2010` to `Q2012` and `Q2030` for a bad option, `Q2015` for a bad list of queues, `Q2006` and `Q2028` for a bad schedule
 */
export function readAppOptions(options: AppOptions, definedAt: SourceLocation | undefined): AppSettings {
  refuseUnknownOptions("createApp()", options, known);
  checkKinds(options);
  return {
    broker: options.broker,
    queues: readQueues(options.queues),
    imports: options.imports ?? [],
    root: options.root ?? (definedAt === undefined ? process.cwd() : dirname(definedAt.file)),
    schedule: Object.entries(options.schedule ?? {}).map(([name, entry]) =>
      readSchedule(name, entry, { isStored: false }),
    ),
    middleware: options.middleware ?? [],
    maxMessageSize: wholeNumber("maxMessageSize", options.maxMessageSize ?? 65_536, { from: 64 }),
    publishTimeoutMs: durationMs(options.publishTimeout ?? "10s", "publishTimeout"),
    maxBufferedBytes: wholeNumber("maxBufferedBytes", options.maxBufferedBytes ?? 268_435_456, { from: 1 }),
    maxCrashes: wholeNumber("maxCrashes", options.maxCrashes ?? 3, { from: 2, to: 100 }),
    parkForMs: durationMs(options.parkFor ?? "24h", "parkFor"),
    logger: options.logger ?? silentLogger,
    clock: options.clock ?? systemClock,
    eager: options.eager ?? false,
  };
}

/** What the types rule out, for configs that nobody type-checks. */
function checkKinds({ broker, queues, imports, root, middleware, logger }: AppOptions): void {
  checkParts({ broker, logger });
  assertKind("queues", queues, "an array", 'queues: ["default"]');
  assertKind("imports", imports, "an array of strings", 'imports: ["./src/tasks/*.ts"]');
  assertKind("root", root, "a string");
  assertKind("middleware", middleware, "an array", "middleware: [tracing]");
  for (const one of middleware ?? []) assertKind("each of middleware", one ?? null, "an object");
}

/**
 * Those that may also come later.
 * @throws ConfigError `Q2030`
 */
export function checkParts({ broker, logger }: { readonly broker?: unknown; readonly logger?: unknown }): void {
  if (broker !== undefined && !has(broker, "open", "publish", "consume"))
    throw wrongKind("broker", broker, "a broker", 'broker: sqlite("sqlite:.q/q.db"), or fromUrl(url, [sqlite, redis])');
  if (logger !== undefined && !has(logger, "debug", "info", "warn", "error", "child"))
    throw wrongKind(
      "logger",
      logger,
      "a logger with child(), as pino's",
      "console is none: leave logger out, or use pino",
    );
}

function has(value: unknown, ...methods: readonly string[]): boolean {
  if (typeof value !== "object" || value === null) return false;
  return methods.every((name) => typeof (value as Readonly<Record<string, unknown>>)[name] === "function");
}

const queueName = /^[A-Za-z0-9_.:@/-]{1,128}$/;

function readQueues(declarations: readonly QueueDeclaration[] | undefined): readonly QueueOptions[] {
  if (declarations === undefined || declarations.length === 0) {
    throw new ConfigError("Q2015", "an app needs at least one queue", { hint: 'queues: ["default"]' });
  }
  const queues = declarations.map((declaration) => {
    if (typeof declaration === "string") return { name: declaration, priorities: false };
    refuseUnknownOptions("a queue of createApp()", declaration, ["name", "priorities"]);
    return { name: declaration.name, priorities: declaration.priorities ?? false };
  });
  queues.forEach(({ name }, index) => {
    if (typeof name !== "string" || !queueName.test(name)) {
      throw new ConfigError("Q2015", `${JSON.stringify(name)} is not a queue name`, {
        hint: "1 to 128 letters, digits and any of _ . : @ / -",
      });
    }
    if (queues.findIndex((queue) => queue.name === name) !== index) {
      throw new ConfigError("Q2015", `queue "${name}" is declared twice`, { hint: "delete one of the two" });
    }
  });
  return queues;
}
