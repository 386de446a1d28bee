import { createHash } from "node:crypto";
import { limitMs } from "../duration.ts";
import { refuseUnknownOptions, shortText } from "../known-options.ts";
import { ConfigError } from "../q-error.ts";
import type { ScheduleEntry, ScheduleSendOptions } from "./schedule-entry.ts";
import { IntervalTiming, type Timing } from "./timing.ts";

/** A schedule, checked as far as that is possible without the tasks and without reading its expression. */
export interface Schedule {
  readonly name: string;
  readonly task: string;
  readonly args: object;
  readonly options: ScheduleSendOptions;
  /** `null` for one with `everyMs`. */
  readonly cron: string | null;
  readonly everyMs: number | null;
  readonly timezone: string;
  readonly missed: "skip" | "one" | "all";
  readonly startDeadlineMs: number | null;
  readonly overlap: "allow" | "skip";
  readonly duplicates: "allow" | "drop";
  /** How long after its planned time a tick is sent. The same for one name always. */
  readonly offsetMs: number;
  /** Whether it was made at run time and stands in the broker. */
  readonly isStored: boolean;
}

const known = [
  "task",
  "cron",
  "every",
  "timezone",
  "args",
  "options",
  "missed",
  "startDeadline",
  "overlap",
  "duplicates",
  "jitter",
] satisfies (keyof ScheduleEntry)[];

const knownOptions = [
  "queue",
  "priority",
  "expires",
  "headers",
  "softTimeLimit",
  "timeLimit",
  "maxRetries",
] satisfies (keyof ScheduleSendOptions)[];

const scheduleName = /^[A-Za-z0-9_.:@/ -]{1,100}$/;
const nickname = /^@(?:yearly|annually|monthly|weekly|daily|midnight|hourly)$/i;
const longestExpression = 256;
const shortestEveryMs = 1000;

/**
 * @throws ConfigError `Q2006` for a bad time, `Q2028` for other values that make no sense, `Q2010` for a bad length of time, `Q2011` for an unknown option
 */
export function readSchedule(
  name: string,
  entry: ScheduleEntry,
  { isStored }: { readonly isStored: boolean },
): Schedule {
  // For callers without types, too.
  const isText = typeof name === "string";
  const where = `schedule ${JSON.stringify(isText ? name.slice(0, longestExpression) : name)}`;
  if (!isText || !scheduleName.test(name)) {
    throw new ConfigError("Q2028", `${where} has a name that does not fit`, {
      hint: "1 to 100 letters, digits, spaces and any of _ . : @ / -",
    });
  }
  // For callers without types, and for what stands in a broker.
  if (typeof entry !== "object" || entry === null)
    throw new ConfigError("Q2028", `${where} is no entry`, { hint: '{ task: "reports.daily", cron: "0 5 * * *" }' });
  refuseUnknownOptions(where, entry, known);
  const { task, args = {}, options = {}, timezone = "UTC" } = entry;
  const { missed = "one", overlap = "allow", duplicates = "allow" } = entry;
  if (typeof task !== "string" || task === "")
    throw new ConfigError("Q2028", `${where} names no task`, { hint: 'task: "reports.daily"' });
  if (typeof options !== "object" || options === null)
    throw new ConfigError("Q2028", `${where} has options that are none`);
  refuseUnknownOptions(`a send of ${where}`, options, knownOptions);
  oneOf(where, "missed", missed, ["skip", "one", "all"]);
  oneOf(where, "overlap", overlap, ["allow", "skip"]);
  oneOf(where, "duplicates", duplicates, ["allow", "drop"]);
  const jitterMs = limitMs(entry.jitter, `jitter of ${where}`) ?? 0;
  return {
    name,
    task,
    args,
    options,
    ...readTime(where, entry),
    timezone: readZone(where, timezone),
    missed,
    startDeadlineMs: limitMs(entry.startDeadline, `startDeadline of ${where}`),
    overlap,
    duplicates,
    offsetMs: jitterMs === 0 ? 0 : offsetOf(name, jitterMs),
    isStored,
  };
}

/**
 * The times of a schedule. Loads the reader of expressions when it is first needed.
 * @throws ConfigError `Q2006` for an expression that says nothing, or that never comes true
 */
export async function timingOf({ name, cron, everyMs, timezone }: Schedule): Promise<Timing> {
  if (cron === null) return new IntervalTiming(everyMs ?? shortestEveryMs);
  const { CronTiming } = await import("./cron-timing.ts");
  const where = `schedule "${name}": "${cron}"`;
  let timing: Timing;
  try {
    timing = new CronTiming(cron, timezone);
  } catch (cause) {
    throw new ConfigError("Q2006", `${where} is no cron expression: ${reasonOf(cause)}`, {
      hint: "minute, hour, day of month, month, day of week: 0 5 * * 1",
      cause,
    });
  }
  if (timing.next(0) !== null) return timing;
  throw new ConfigError("Q2006", `${where} names a date that never comes`, { hint: "no month has that day" });
}

function readTime(where: string, { cron, every, timezone }: ScheduleEntry): Pick<Schedule, "cron" | "everyMs"> {
  if ((cron === undefined) === (every === undefined)) {
    throw new ConfigError(
      "Q2006",
      `${where} has ${cron === undefined ? "neither cron nor every" : "both cron and every"}`,
      {
        hint: 'one of cron: "0 5 * * *" and every: "90s"',
      },
    );
  }
  if (every !== undefined) {
    const everyMs = limitMs(every, `every of ${where}`) ?? 0;
    if (everyMs < shortestEveryMs)
      throw new ConfigError("Q2006", `every of ${where} is "${every}": expected at least "1s"`);
    if (timezone !== undefined)
      throw new ConfigError("Q2006", `${where} has a timezone, which an interval has no use for`, {
        hint: "delete timezone",
      });
    return { cron: null, everyMs };
  }
  if (typeof cron !== "string") throw new ConfigError("Q2006", `cron of ${where} is a ${typeof cron}: expected a text`);
  if (cron.length > longestExpression) {
    throw new ConfigError(
      "Q2006",
      `cron of ${where} has ${cron.length} characters: expected at most ${longestExpression}`,
    );
  }
  const fields = cron.trim().split(/\s+/).length;
  if (nickname.test(cron.trim()) || fields === 5 || fields === 6) return { cron: cron.trim(), everyMs: null };
  throw new ConfigError(
    "Q2006",
    `cron of ${where} is ${JSON.stringify(cron)}: expected 5 or 6 fields, or a name like @daily`,
  );
}

/** One that the engine knows, which knows those of the IANA database. An offset, as +02:00, would hide that it has no summer time. */
function readZone(where: string, timezone: unknown): string {
  if (typeof timezone === "string" && /^[A-Za-z]/.test(timezone) && isZone(timezone)) return timezone;
  throw new ConfigError("Q2006", `${where} has the time zone ${JSON.stringify(timezone)}, which nobody here knows`, {
    hint: 'timezone: "Europe/Vienna", a name of the IANA database',
  });
}

function isZone(timezone: string): boolean {
  // The default is spared the 25 ms that the first of all formats takes each process.
  if (timezone === "UTC") return true;
  try {
    return new Intl.DateTimeFormat("en", { timeZone: timezone }).resolvedOptions().timeZone !== "";
  } catch {
    // Its way to say that it knows none of this name.
    return false;
  }
}

function oneOf(where: string, option: string, value: string, allowed: readonly string[]): void {
  if (allowed.includes(value)) return;
  throw new ConfigError("Q2028", `${option} of ${where} is ${JSON.stringify(value)}: expected ${allowed.join(", ")}`);
}

/** From 0 to `jitterMs`, by the name. */
function offsetOf(name: string, jitterMs: number): number {
  const share = createHash("sha1").update(name).digest().readUIntBE(0, 6) / 2 ** 48;
  return Math.floor(share * (jitterMs + 1));
}

const ranges: Readonly<Record<string, string>> = {
  second: "0 to 59",
  minute: "0 to 59",
  hour: "0 to 23",
  day: "1 to 31",
  month: "1 to 12",
  dayOfWeek: "0 to 7",
};

/** croner's words without its name; it counts months from 0, so that it is better not quoted on values. */
function reasonOf(cause: unknown): string {
  const text = cause instanceof Error ? cause.message.replace(/^CronPattern: /, "") : String(cause);
  const [, field] = /^Invalid value for (\w+)/.exec(text) ?? [];
  return field === undefined ? text : `${field} is out of its range, ${ranges[field] ?? "from its first to its last"}`;
}

/** The name of a task id for a tick: the same in every process. */
export function tickId(name: string, at: number): string {
  return shortText("id", `cron:${name}:${new Date(at).toISOString()}`);
}
