import type { Settled } from "../broker/delivery.ts";
import type { Logger } from "../logger.ts";
import type { SettleListener } from "./settling.ts";
import type { EventListener, TaskEvent, TaskFacts } from "./worker-event.ts";

export interface ConclusionOptions {
  readonly facts: TaskFacts;
  /** How long the handler ran. */
  readonly ms: number;
  /** What to tell when the broker has the outcome; `undefined` when nobody listens. */
  readonly event: TaskEvent | undefined;
  readonly emit: EventListener | undefined;
  readonly logger: Logger;
}

/**
 * What is left of an attempt while its outcome is on the way to the broker. Not its message and arguments: they may be large, and thousands of
 * attempts wait for the same answer.
 */
export class Conclusion implements SettleListener {
  readonly #options: ConclusionOptions;
  #isStored = false;
  #onStored: (() => void) | undefined;

  constructor(options: ConclusionOptions) {
    this.#options = options;
  }

  /** Calls back when the broker has answered, which may have been before. */
  whenStored(onStored: () => void): void {
    if (this.#isStored) onStored();
    else this.#onStored = onStored;
  }

  settled(answer: Settled): void {
    this.#store();
    const { facts, ms, event, emit } = this.#options;
    if (event === undefined) return;
    emit?.(answer === "settled" ? event : { ...facts, type: "task.lost", ms });
  }

  failed(error: unknown): void {
    const { logger, facts } = this.#options;
    logger.error(
      { err: error, task: facts.task, id: facts.id },
      "the outcome could not be stored; the message may run again",
    );
    this.#store();
  }

  #store(): void {
    this.#isStored = true;
    this.#onStored?.();
  }
}
