import { formatMs, type ErrorRecord, type LogFields, type Logger, type WorkerEvent } from "@q/core";
import type { Colors } from "../output/colors.ts";
import { printable } from "../output/printable.ts";
import { redact } from "../output/redact.ts";
import type { LogLevel } from "../worker/worker-settings.ts";
import { eventLine, sentence, taskOf } from "./event-line.ts";
import { ownFrames } from "./own-frames.ts";
import type { Screen } from "./screen.ts";
import { isShown, type WorkerLog } from "./worker-log.ts";

const widestName = 32;
const shortId = 10;

/** One line per event for a person at a terminal: time, what happened, task, id, how long, why. */
export class PrettyLog implements WorkerLog {
  readonly logger: Logger;
  readonly answers: Logger;
  readonly #screen: Screen;
  readonly #colors: Colors;
  #level: LogLevel;
  #nameWidth = 0;

  constructor(screen: Screen, colors: Colors, level: LogLevel) {
    this.#screen = screen;
    this.#colors = colors;
    this.#level = level;
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
      // The banner says the rest.
      this.#nameWidth = Math.min(widestName, Math.max(0, ...event.tasks.map((name) => name.length)));
      return;
    }
    const level = event.type === "worker.stopped" && event.unfinished > 0 ? "warn" : "info";
    if (isShown(level, this.#level)) this.#write(level, event.type.replace("worker.", ""), workerText(event));
  }

  /** `email.send      01JD5Q4W8K`, in columns. */
  #whose(task: string, id: string): string {
    this.#nameWidth = Math.max(this.#nameWidth, Math.min(widestName, task.length));
    return `${printable(task).padEnd(this.#nameWidth)}  ${this.#colors.dim(printable(id).slice(0, shortId).padEnd(shortId))}`;
  }

  #write(level: LogLevel, word: string, text: string): void {
    const now = new Date();
    const time = `${now.toTimeString().slice(0, 8)}.${String(now.getMilliseconds()).padStart(3, "0")}`;
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
      (given: LogFields, message: string): void => {
        if (!isWanted(level)) return;
        const { worker: _worker, task, id, ...fields } = { ...bound, ...given };
        const whose = typeof task === "string" && typeof id === "string" ? `${this.#whose(task, id)}  ` : "";
        this.#write(level, level, `${whose}${tidy(message)}${this.#colors.dim(fieldsText(fields))}`);
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

/** `  queue=email err="ECONNREFUSED"`; nested values as JSON. */
function fieldsText(fields: LogFields): string {
  const parts = Object.entries(fields).map(([name, value]) => {
    if (value instanceof Error) return `${name}="${value.message}"`;
    return `${name}=${typeof value === "string" && !value.includes(" ") ? value : (JSON.stringify(value) ?? "")}`;
  });
  return parts.length === 0 ? "" : `  ${tidy(parts.join(" "))}`;
}

function workerText(event: Extract<WorkerEvent, { worker: string }>): string {
  switch (event.type) {
    case "worker.stopping":
      return event.waitingFor === 0
        ? "nothing is running"
        : `waiting for ${event.waitingFor} running ${event.waitingFor === 1 ? "task" : "tasks"}; once more hands them back`;
    case "worker.stopped":
      return event.unfinished === 0 ? "all done" : `${event.unfinished} handed back unfinished`;
    default:
      return "";
  }
}

function tidy(text: string): string {
  return redact(printable(text));
}
