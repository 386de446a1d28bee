import { pino } from "pino";
import type { ErrorRecord, Logger, WorkerEvent } from "@q/core";
import { redact } from "../output/redact.ts";
import type { LogLevel } from "../worker/worker-settings.ts";
import { eventLine, taskOf } from "./event-line.ts";
import type { WorkerLog } from "./worker-log.ts";

export interface JsonLogOptions {
  readonly level: LogLevel;
  /** Facts for the line that says that the worker is ready. */
  readonly ready: Readonly<Record<string, unknown>>;
}

/** One JSON object a line on stdout: for containers, files and pipes. */
export class JsonLog implements WorkerLog {
  readonly logger: Logger;
  readonly answers: Logger;
  readonly #pino: pino.Logger;
  readonly #ready: Readonly<Record<string, unknown>>;

  constructor({ level, ready }: JsonLogOptions) {
    const destination = pino.destination({ fd: 1, sync: true });
    // Nobody reads any more. A worker goes on working; there is nowhere left to say so.
    destination.on("error", () => {});
    this.#pino = pino(
      {
        level,
        base: null,
        timestamp: () => `,"t":"${new Date().toISOString()}"`,
        formatters: { level: (label) => ({ level: label }) },
        hooks: { streamWrite: redact },
        // Events carry errors as plain data; only a real one needs pino's own serialiser.
        serializers: { err: (value: unknown) => (value instanceof Error ? pino.stdSerializers.err(value) : value) },
      },
      destination,
    );
    this.logger = this.#pino;
    this.answers = this.#pino.child({}, { level: "debug" });
    this.#ready = ready;
  }

  readonly onEvent = (event: WorkerEvent): void => {
    if (!("id" in event)) {
      const { type, ...facts } = event;
      this.#pino.info(
        { event: type, ...facts, ...(type === "worker.ready" ? this.#ready : {}) },
        type.replace(".", " "),
      );
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
