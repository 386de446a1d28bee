import { AsyncLocalStorage } from "node:async_hooks";
import type { Delivery } from "./broker/delivery.ts";
import type { Duration } from "./duration.ts";
import { LeaseLost, Retry } from "./errors.ts";
import type { JsonObject } from "./json.ts";
import type { Logger } from "./logger.ts";
import type { Message } from "./message.ts";

/** What a handler knows about its attempt. Also found by `currentTask()` anywhere below it. */
export interface TaskContext {
  /** Of the message; the same in every retry. */
  readonly id: string;
  readonly name: string;
  readonly queue: string;
  /** As the handler got them. */
  readonly args: unknown;
  /** How often it was retried: 0 at the first attempt. */
  readonly retries: number;
  readonly maxRetries: number;
  /** How many workers died with it, see `Delivery.crashes`. */
  readonly crashes: number;
  /** When it was meant to run, for a task sent with `countdown` or `eta`, and for a retry. */
  readonly eta: Date | null;
  /** Headers of the sender, and all others that are not part of the protocol. */
  readonly headers: JsonObject;
  /** The first message of this tree of tasks. */
  readonly rootId: string;
  /** Grows with each delivery of this message, where the broker can tell: hand it to a store to refuse a stale writer. */
  readonly fence: number | undefined;
  /** Aborts at the soft or hard time limit, at shutdown, and when another worker may own the message. Pass it to fetch and database calls. */
  readonly signal: AbortSignal;
  /** Adds task and id to each line. */
  readonly logger: Logger;
  /** Tells who watches how far it is, from 0 to 1. */
  readonly progress: (value: number) => void;
  /** `throw ctx.retry({ delay: "5m" })`: run it again later, counted as a retry. */
  readonly retry: (options?: {
    readonly delay?: Duration;
    readonly reason?: string;
    readonly cause?: unknown;
  }) => Retry;
}

/** What the worker adds to the message when it makes a context. */
export interface AttemptFacts {
  readonly args: unknown;
  readonly maxRetries: number;
  readonly logger: Logger;
  readonly onProgress: ((value: number) => void) | undefined;
}

const storage = new AsyncLocalStorage<TaskContext>();

/** The context of the task whose handler is running here, `undefined` outside of one. */
export function currentTask(): TaskContext | undefined {
  return storage.getStore();
}

export function runInContext<T>(context: TaskContext, run: () => T): T {
  return storage.run(context, run);
}

/** The context of one attempt. Signal and logger are made when first asked for: most handlers use neither. */
export class AttemptContext implements TaskContext {
  readonly #message: Message;
  readonly #delivery: Delivery;
  readonly #facts: AttemptFacts;
  #controller: AbortController | undefined;
  #abortReason: Error | undefined;
  #logger: Logger | undefined;
  #onLost: (() => void) | undefined;
  #hasEnded = false;

  constructor(message: Message, delivery: Delivery, facts: AttemptFacts) {
    this.#message = message;
    this.#delivery = delivery;
    this.#facts = facts;
  }

  get id(): string {
    return this.#message.id;
  }

  get name(): string {
    return this.#message.task;
  }

  get queue(): string {
    return this.#message.queue;
  }

  get args(): unknown {
    return this.#facts.args;
  }

  get retries(): number {
    return this.#message.retries;
  }

  get maxRetries(): number {
    return this.#facts.maxRetries;
  }

  get crashes(): number {
    return this.#delivery.crashes;
  }

  get eta(): Date | null {
    return this.#message.etaMs === null ? null : new Date(this.#message.etaMs);
  }

  get headers(): JsonObject {
    return this.#message.headers;
  }

  get rootId(): string {
    return this.#message.rootId;
  }

  get fence(): number | undefined {
    return this.#delivery.fence;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      const controller = new AbortController();
      this.#controller = controller;
      const { lost } = this.#delivery;
      this.#onLost = () => this.abort(new LeaseLost());
      if (lost.aborted) this.#onLost();
      // Whoever asks after the end, as a timer that the handler has left, would never be let go.
      else if (!this.#hasEnded) lost.addEventListener("abort", this.#onLost, { once: true });
      if (this.#abortReason !== undefined) controller.abort(this.#abortReason);
    }
    return this.#controller.signal;
  }

  get logger(): Logger {
    this.#logger ??= this.#facts.logger.child({ task: this.name, id: this.id });
    return this.#logger;
  }

  /** Ends the attempt from outside. The first reason stays. */
  abort(reason: Error): void {
    if (this.#abortReason !== undefined) return;
    this.#abortReason = reason;
    this.#controller?.abort(reason);
  }

  /** The handler has ended: lets go of the delivery's signal, which a broker may share between all its deliveries. */
  end(): void {
    this.#hasEnded = true;
    if (this.#onLost !== undefined) this.#delivery.lost.removeEventListener("abort", this.#onLost);
  }

  /** A function by itself, so that a handler may take it out of the context; made when asked for, which is seldom. */
  get progress(): TaskContext["progress"] {
    const { onProgress } = this.#facts;
    return (value) => onProgress?.(Math.min(1, Math.max(0, value)));
  }

  retry(options: { readonly delay?: Duration; readonly reason?: string; readonly cause?: unknown } = {}): Retry {
    return new Retry(options);
  }
}
