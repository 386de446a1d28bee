import { hostname } from "node:os";
import { durationMs, type Duration } from "@q/core";
import { flagChoice, flagNumber } from "../flag-values.ts";
import { readSetting, type Setting } from "../setting.ts";
import { readRelease } from "./release.ts";

export const logLevels = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof logLevels)[number];
export type LogFormat = "auto" | "pretty" | "json";

/** The flags of `q worker` as they were typed. */
export interface WorkerFlags {
  readonly queues?: readonly string[];
  readonly concurrency?: string | undefined;
  readonly name?: string | undefined;
  readonly logLevel?: string | undefined;
  readonly logFormat?: string | undefined;
  readonly logFile?: string | undefined;
  readonly shutdownTimeout?: string | undefined;
  readonly healthPort?: string | undefined;
  readonly processes?: string | undefined;
}

/** What a worker process runs with, each value with its origin. */
export interface WorkerSettings {
  /** As typed, with weights; empty for all. */
  readonly queues: Setting<readonly string[]>;
  readonly concurrency: Setting<number>;
  /** `undefined`: the worker makes one of host and random digits. */
  readonly name: Setting<string | undefined>;
  readonly logLevel: Setting<LogLevel>;
  readonly logFormat: Setting<LogFormat>;
  /** As typed; `undefined`: the terminal, or stdout. */
  readonly logFile: Setting<string | undefined>;
  readonly shutdownTimeout: Setting<Duration>;
  readonly healthPort: Setting<number | undefined>;
  /** Which build of the user's program this is, where something says so. */
  readonly release: Setting<string | undefined>;
  /** `undefined`: this process is the worker, and nothing replaces it when it ends. */
  readonly processes: Setting<number | undefined>;
}

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Flag, environment, default, in this order.
 * @param number of a process that a supervisor started, from 1
 * @throws UsageError `Q2103`, ConfigError `Q2010`; both name the flag or the variable
 */
export function readWorkerSettings(flags: WorkerFlags, env: Env, number?: number): WorkerSettings {
  const queues = flags.queues === undefined || flags.queues.length === 0 ? undefined : flags.queues.join(",");
  const processes = readSetting<number | undefined>(
    {
      flag: "--processes",
      given: flags.processes,
      variable: "Q_PROCESSES",
      read: (from, text) => flagNumber(from, text, { from: 1, to: 256 }),
    },
    env,
    undefined,
  );
  return {
    queues: readSetting(
      { flag: "--queues", given: queues, variable: "Q_QUEUES", read: (_from, text) => text.split(",") },
      env,
      [] as readonly string[],
    ),
    concurrency: readSetting(
      {
        flag: "--concurrency",
        given: flags.concurrency,
        variable: "Q_CONCURRENCY",
        read: (from, text) => flagNumber(from, text, { from: 1, to: 10_000 }) ?? 10,
      },
      env,
      10,
    ),
    name: readSetting<string | undefined>(
      {
        flag: "--name",
        given: flags.name,
        variable: "Q_NAME",
        read: (_from, text) => workerName(text, processes.value === undefined ? undefined : number),
      },
      env,
      undefined,
    ),
    logLevel: readLogLevel(flags.logLevel, env),
    logFormat: readSetting<LogFormat>(
      {
        flag: "--log-format",
        given: flags.logFormat,
        variable: "Q_LOG_FORMAT",
        read: (from, text) => flagChoice(from, text, ["auto", "pretty", "json"]) ?? "auto",
      },
      env,
      "auto",
    ),
    logFile: readSetting<string | undefined>(
      { flag: "--log-file", given: flags.logFile, read: (_from, text) => text },
      env,
      undefined,
    ),
    shutdownTimeout: readSetting<Duration>(
      { flag: "--shutdown-timeout", given: flags.shutdownTimeout, variable: "Q_SHUTDOWN_TIMEOUT", read: readDuration },
      env,
      "25s",
    ),
    healthPort: readSetting<number | undefined>(
      {
        flag: "--health-port",
        given: flags.healthPort,
        variable: "Q_HEALTH_PORT",
        read: (from, text) => flagNumber(from, text, { from: 0, to: 65_535 }),
      },
      env,
      undefined,
    ),
    release: readRelease(env),
    processes,
  };
}

/** The names of several processes differ: `w-%i` and `w` are both `w-2` for the second. */
function workerName(text: string, number: number | undefined): string {
  const name = text.replaceAll("%h", hostname());
  if (name.includes("%i")) return name.replaceAll("%i", String(number ?? 1));
  return number === undefined ? name : `${name}-${number}`;
}

/** systemd sets DEBUG_INVOCATION when it restarts a unit for debugging; that beats the unit's own Q_LOG_LEVEL. */
function readLogLevel(flag: string | undefined, env: Env): Setting<LogLevel> {
  if (flag === undefined && env["DEBUG_INVOCATION"] === "1") return { value: "debug", from: "DEBUG_INVOCATION" };
  return readSetting<LogLevel>(
    { flag: "--log-level", given: flag, variable: "Q_LOG_LEVEL", read: readLevel },
    env,
    "info",
  );
}

/** Celery's words are taken too. */
function readLevel(from: string, text: string): LogLevel {
  const word = { warning: "warn", critical: "error", fatal: "error" }[text.toLowerCase()] ?? text;
  return flagChoice(from, word, logLevels) ?? "info";
}

function readDuration(from: string, text: string): Duration {
  // durationMs refuses what is not a duration.
  const duration = text as Duration;
  durationMs(duration, from);
  return duration;
}
