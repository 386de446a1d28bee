import type { Logger } from "../logger.ts";
import type { Message } from "../message.ts";

/** What Celery would send when the task has succeeded. */
const followUps = ["callbacks", "chain", "chord"];

/** Tells that a task is run and what Celery's canvas has in store after it is not: once for each task, in each worker. */
export class CanvasWarning {
  readonly #logger: Logger;
  readonly #told = new Set<string>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  look({ task, id, embed }: Message): void {
    // A loop, because nearly all have none.
    for (const part in embed) {
      if (!followUps.includes(part) || isEmpty(embed[part]) || this.#told.has(task)) continue;
      this.#told.add(task);
      this.#logger.warn(
        { code: "Q4012", task, id, part },
        `what follows this task in Celery's canvas (${part}) is not sent: q runs single tasks; send the next one from the handler`,
      );
    }
  }
}

function isEmpty(value: unknown): boolean {
  return value === null || (Array.isArray(value) && value.length === 0);
}
