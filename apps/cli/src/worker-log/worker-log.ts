import type { Logger, WorkerEvent } from "@q/core";
import type { LogLevel } from "../worker/worker-settings.ts";

/** What a worker process tells the world, pretty or as JSON. */
export interface WorkerLog {
  /** For the app, its broker and the handlers' `ctx.logger`. */
  readonly logger: Logger;
  /** For what a person asked for with a key or a signal: shown whatever the level. */
  readonly answers: Logger;
  readonly onEvent: (event: WorkerEvent) => void;
  setLevel(level: LogLevel): void;
}

const order: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/** Whether a line of this level is to be shown. */
export function isShown(level: LogLevel, threshold: LogLevel): boolean {
  return order.indexOf(level) >= order.indexOf(threshold);
}
