import { formatMs, type ErrorRecord, type LogFields, type Logger, type WorkerEvent } from "@q/core";
import type { Colors } from "../output/colors.ts";
import { counted } from "../output/numbers.ts";
import { printable } from "../output/printable.ts";
import { redact } from "../output/redact.ts";
import type { LogLevel } from "../worker/worker-settings.ts";
import { eventLine, sentence, taskOf } from "./event-line.ts";
import { logValue, readLogCall } from "./log-call.ts";
import { ownFrames } from "./own-frames.ts";
import type { Screen } from "./screen.ts";
import { isShown, type WorkerLog } from "./worker-log.ts";

const widestName = 32;
const shortId = 10;

export interface PrettyLogOptions {
  readonly screen: Screen;
  readonly colors: Colors;
  readonly level: LogLevel;
  /** A file has no banner beside it and is read on another day: facts for a line that says that the worker is ready, and dates. */
  readonly file?: { readonly ready: LogFields };
}

/** One line per event for a person: time, what happened, task, id, how long, why. */
export class PrettyLog implements WorkerLog {
  readonly logger: Logger;
  readonly answers: Logger;
  readonly #screen: Screen;
  readonly #colors: Colors;
  readonly #file: PrettyLogOptions["file"];
  #level: LogLevel;
  #nameWidth = 0;

  constructor({ screen, colors, level, file }: PrettyLogOptions) {
    this.#screen = screen;
    this.#colors = colors;
    this.#level = level;
    this.#file = file;
    this.logger = this.#loggerWith({}, (line) => isShown(line, this.#level));
    this.answers = this.#loggerWith({}, () => true);
  }

  setLevel(level: LogLevel): void {
    this.#level = level;
  }

  readonly onEvent = (event: WorkerEvent): void => {
    if (!("id" in event)) {
      this.#onWorkerEvent(event);
      return;
    }
    const line = eventLine(event);
    if (!isShown(line.level, this.#level)) return;
    const took = (line.ms === null ? "" : formatMs(line.ms)).padStart(6);
    const parts = [
      this.#whose(taskOf(event), event.id),
      took,
      tidy(line.text),
      event.crashes > 0 ? `${event.crashes} crashed` : "",
    ];
    this.#write(line.level, line.word, parts.filter((part) => part !== "").join("  "));
    if (line.level === "error" && line.error !== undefined) this.#frames(line.error);
  };

  #onWorkerEvent(event: Extract<WorkerEvent, { worker: string }>): void {
    if (event.type === "worker.ready") {
      this.#nameWidth = Math.min(widestName, Math.max(0, ...event.tasks.map((name) => name.length)));
      // Elsewhere the banner says it.
      if (this.#file === undefined) return;
    }
    // The worker's own logger has said it, as a warning with its code.
    if (event.type === "worker.blocked") return;
    const level = event.type === "worker.stopped" && event.unfinished > 0 ? "warn" : "info";
    const facts = event.type === "worker.ready" ? fieldsText(this.#file?.ready ?? {}) : "";
    if (isShown(level, this.#level)) this.#write(level, event.type.replace("worker.", ""), workerText(event) + facts);
  }

  /** `email.send      01JD5Q4W8K`, in columns. */
  #whose(task: string, id: string): string {
    this.#nameWidth = Math.max(this.#nameWidth, Math.min(widestName, task.length));
    return `${printable(task).padEnd(this.#nameWidth)}  ${this.#colors.dim(printable(id).slice(0, shortId).padEnd(shortId))}`;
  }

  #write(level: LogLevel, word: string, text: string): void {
    const now = new Date();
    const clock = `${now.toTimeString().slice(0, 8)}.${String(now.getMilliseconds()).padStart(3, "0")}`;
    const time = this.#file === undefined ? clock : `${localDate(now)} ${clock}`;
    this.#screen.line(`${this.#colors.dim(time)}  ${this.#paint(level, word.padEnd(5))} ${text}`);
  }

  /** Where in the user's own code it happened. The whole stack is in the dead letter. */
  #frames(error: ErrorRecord): void {
    for (const frame of ownFrames(error)) this.#screen.line(`${" ".repeat(20)}${this.#colors.dim(tidy(frame))}`);
    if (error.cause !== undefined)
      this.#screen.line(`${" ".repeat(20)}${this.#colors.dim(`caused by ${tidy(sentence(error.cause))}`)}`);
  }

  #paint(level: LogLevel, word: string): string {
    const { dim, green, red, yellow } = this.#colors;
    return { debug: dim, info: green, warn: yellow, error: red }[level](word);
  }

  #loggerWith(bound: LogFields, isWanted: (level: LogLevel) => boolean): Logger {
    const at =
      (level: LogLevel) =>
      (...call: readonly unknown[]): void => {
        if (!isWanted(level)) return;
        const said = readLogCall(call);
        const { worker: _worker, task, id, ...fields } = { ...bound, ...said.fields };
        const whose = typeof task === "string" && typeof id === "string" ? `${this.#whose(task, id)}  ` : "";
        this.#write(level, level, `${whose}${tidy(said.text)}${this.#colors.dim(fieldsText(fields))}`);
      };
    return {
      debug: at("debug"),
      info: at("info"),
      warn: at("warn"),
      error: at("error"),
      child: (fields) => this.#loggerWith({ ...bound, ...fields }, isWanted),
    };
  }
}

/** `2026-11-22`, in the zone of the clock. */
function localDate(date: Date): string {
  const [month, day] = [date.getMonth() + 1, date.getDate()].map((part) => String(part).padStart(2, "0"));
  return `${date.getFullYear()}-${month}-${day}`;
}

/** `  queue=email err="ECONNREFUSED"` */
function fieldsText(fields: LogFields): string {
  const parts = Object.entries(fields).map(([name, value]) => `${name}=${logValue(value)}`);
  return parts.length === 0 ? "" : `  ${tidy(parts.join(" "))}`;
}

function workerText(event: Extract<WorkerEvent, { worker: string }>): string {
  switch (event.type) {
    case "worker.ready":
      return `${event.worker}  ${counted(event.slots, "slot")}  ${counted(event.tasks.length, "task")}  ${[...new Set(event.queues)].join(", ")}`;
    case "worker.stopping":
      return event.waitingFor === 0
        ? "nothing is running"
        : `waiting for ${counted(event.waitingFor, "running task")}; once more hands them back`;
    case "worker.stopped":
      return event.unfinished === 0 ? "all done" : `${event.unfinished} handed back unfinished`;
    default:
      return "";
  }
}

function tidy(text: string): string {
  return redact(printable(text));
}
