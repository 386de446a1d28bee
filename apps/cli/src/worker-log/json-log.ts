import { pino } from "pino";
import { errorRecord, type ErrorRecord, type Logger, type WorkerEvent } from "@q/core";
import { counted } from "../output/numbers.ts";
import { redact } from "../output/redact.ts";
import type { LogLevel } from "../worker/worker-settings.ts";
import { eventLine, taskOf } from "./event-line.ts";
import type { LogFile } from "./log-file.ts";
import { StdoutLines } from "./stdout-lines.ts";
import type { WorkerLog } from "./worker-log.ts";

export interface JsonLogOptions {
  readonly level: LogLevel;
  /** Facts for the line that says that the worker is ready. */
  readonly ready: Readonly<Record<string, unknown>>;
  /** `undefined`: to stdout. */
  readonly file: LogFile | undefined;
}

/** One JSON object a line: for containers, files and pipes. */
export class JsonLog implements WorkerLog {
  readonly logger: Logger;
  readonly answers: Logger;
  readonly #pino: pino.Logger;
  readonly #ready: Readonly<Record<string, unknown>>;

  constructor({ level, ready, file }: JsonLogOptions) {
    this.#pino = pino(
      {
        level,
        base: null,
        timestamp: () => `,"t":"${new Date().toISOString()}"`,
        formatters: { level: (label) => ({ level: label }) },
        hooks: { streamWrite: redact },
        // Pino's own would add every field that an error carries, such as the arguments of a client's command.
        serializers: { err: (value: unknown) => (value instanceof Error ? errorFields(errorRecord(value)) : value) },
      },
      file ?? new StdoutLines({ onGap: (lost, reason) => this.#tellGap(lost, reason) }),
    );
    this.logger = this.#pino;
    this.answers = this.#pino.child({}, { level: "debug" });
    this.#ready = ready;
  }

  readonly onEvent = (event: WorkerEvent): void => {
    if (!("id" in event)) {
      this.#onWorkerEvent(event);
      return;
    }
    const { level, word, fields, error } = eventLine(event);
    if (!this.#pino.isLevelEnabled(level)) return;
    const { type, task, id, queue, retries, crashes } = event;
    const rest = { ...(crashes > 0 ? { crashes } : {}), ...(error === undefined ? {} : { err: errorFields(error) }) };
    this.#pino[level](
      { event: type, task, id, queue, attempt: retries + 1, ...fields, ...rest },
      `${word} ${taskOf(event)}`,
    );
  };

  setLevel(level: LogLevel): void {
    this.#pino.level = level;
  }

  /** In the log itself: who comes upon the gap looks for its reason there. */
  #tellGap(lost: number, reason: string): void {
    this.answers.warn({ lost }, `stdout could not be written (${reason}): ${counted(lost, "log line")} lost`);
  }

  #onWorkerEvent({ type, ...facts }: Extract<WorkerEvent, { worker: string }>): void {
    // The worker's own logger has said it, as a warning with its code.
    if (type === "worker.blocked") return;
    // A queue with a weight stands in the event once for each of its turns.
    const more = "queues" in facts ? { ...this.#ready, queues: [...new Set(facts.queues)] } : {};
    this.#pino.info({ event: type, ...facts, ...more }, type.replace(".", " "));
  }
}

/** Without the depth of a long chain of causes: the dead letter has all of it. */
function errorFields(error: ErrorRecord): Record<string, unknown> {
  const { name, message, code, stack, cause } = error;
  return {
    name,
    message,
    ...(code === undefined ? {} : { code }),
    stack,
    ...(cause === undefined ? {} : { cause: `${cause.name}: ${cause.message}` }),
  };
}
