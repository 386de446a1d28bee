import { formatMs, type ErrorRecord, type TaskEvent } from "@q/core";
import type { LogLevel } from "../worker/worker-settings.ts";

/** What one event says in a log, before it is made pretty or JSON. */
export interface EventLine {
  readonly level: LogLevel;
  /** At most five letters: `ok`, `retry`, `dead`. */
  readonly word: string;
  /** How long the handler ran; `null` when it did not. */
  readonly ms: number | null;
  /** For people, after the time it took. May be empty. */
  readonly text: string;
  /** For programs, besides task, id and queue. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly error?: ErrorRecord | undefined;
}

/** One line per finished attempt at `info`; what begins or is put off shows at `debug`. Never arguments. */
export function eventLine(event: TaskEvent): EventLine {
  switch (event.type) {
    case "task.started":
      return { level: "debug", word: "start", ms: null, text: "", fields: {} };
    case "task.succeeded":
      return {
        level: "info",
        word: "ok",
        ms: event.ms,
        text: "",
        fields: { ms: round(event.ms), wait_ms: event.waitMs === null ? null : round(event.waitMs) },
      };
    case "task.retried": {
      const text = `try ${event.retries + 1} of ${event.maxRetries + 1}, again in ${formatMs(event.delayMs)}  ${sentence(event.error)}`;
      return {
        level: "warn",
        word: "retry",
        ms: event.ms,
        text,
        fields: { ms: round(event.ms), max: event.maxRetries + 1, next_ms: round(event.delayMs) },
        error: event.error,
      };
    }
    case "task.ignored":
      return {
        level: "info",
        word: "skip",
        ms: event.ms,
        text: sentence(event.error),
        fields: { ms: round(event.ms) },
        error: event.error,
      };
    case "task.dead": {
      const { code, message, error } = event.reason;
      const fields = { ms: event.ms === null ? null : round(event.ms), reason: code, message };
      // The reason carries the error as plain JSON of the same shape.
      return {
        level: "error",
        word: "dead",
        ms: event.ms,
        text: `${code}: ${message}`,
        fields,
        error: error as ErrorRecord | undefined,
      };
    }
    case "task.parked":
      return {
        level: "warn",
        word: "park",
        ms: null,
        text: `no task of that name here; kept, asked again in ${formatMs(event.delayMs)}`,
        fields: { next_ms: round(event.delayMs) },
      };
    case "task.expired":
      return { level: "warn", word: "late", ms: null, text: "expired before it could start; dropped", fields: {} };
    case "task.skipped":
      return {
        level: "warn",
        word: "skip",
        ms: null,
        text:
          event.because === "overlap"
            ? `an earlier run of schedule "${event.schedule}" has not ended`
            : `its tick of schedule "${event.schedule}" was sent twice; the other message runs`,
        fields: { schedule: event.schedule, because: event.because },
      };
    case "task.postponed":
      return {
        level: "debug",
        word: "wait",
        ms: null,
        text: `not due yet; again in ${formatMs(event.delayMs)}`,
        fields: { next_ms: round(event.delayMs) },
      };
    case "task.released":
      return {
        level: "warn",
        word: "back",
        ms: event.ms,
        text: "handed back unfinished",
        fields: { ms: round(event.ms) },
      };
    case "task.lost":
      return {
        level: "warn",
        word: "lost",
        ms: event.ms,
        text: "another worker owns it now; what it did here is not recorded",
        fields: { ms: round(event.ms) },
      };
    case "task.overdue":
      return {
        level: "error",
        word: "over",
        ms: event.ms,
        text: "past its time limit; given up, its slot stays taken until its code ends",
        fields: { ms: round(event.ms) },
      };
    case "task.progress":
      return {
        level: "debug",
        word: "at",
        ms: null,
        text: `${Math.round(event.value * 100)} %`,
        fields: { value: event.value },
      };
  }
}

/** The task's name; a message that could not be read has none. */
export function taskOf({ task }: TaskEvent): string {
  return task === "" ? "(malformed)" : task;
}

/** `SmtpError: 421 try again later` */
export function sentence(error: ErrorRecord): string {
  return `${error.name}: ${error.message}`;
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}
