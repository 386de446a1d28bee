import type { Worker, WorkerEvent } from "@q/core";
import { Overdue } from "./overdue.ts";

export interface RecycleOptions {
  readonly worker: Pick<Worker, "running">;
  /** Begun runs after which the process is used up. `undefined`: no limit. */
  readonly maxTasks: number | undefined;
  /** Bytes of resident memory from which on it is. `undefined`: no limit. */
  readonly maxBytes: number | undefined;
  /** Bytes of resident memory now. */
  readonly memory: () => number;
  /** Called once, with the reason for people: `512 MB of memory, the limit is 500 MB`. The worker is to take no more. */
  readonly onUsedUp: (reason: string) => void;
  /** Called once, when all that ran by then is done. */
  readonly onDone: () => void;
}

const lookEveryMs = 5000;
const lookForEndMs = 50;
/** Workers that were started together must not all end together. */
const jitter = 0.2;

/**
 * Decides when a process has done enough and should be replaced: the cure for leaks in code that one cannot change. What runs by then is waited for,
 * however long it takes: handed back, a task that takes longer than a process lasts would never be done.
 */
export class Recycle {
  readonly #options: RecycleOptions;
  readonly #mostTasks: number;
  #begun = 0;
  readonly #overdue = new Overdue();
  #isUsedUp = false;
  #timer: NodeJS.Timeout | undefined;

  /** @param random from 0 to 1: how much fewer tasks than `maxTasks` it may be, up to a fifth */
  constructor(options: RecycleOptions, random: number = Math.random()) {
    this.#options = options;
    this.#mostTasks = Math.ceil((options.maxTasks ?? Infinity) * (1 - jitter * random));
  }

  start(): void {
    if (this.#options.maxBytes !== undefined && !this.#isUsedUp)
      this.#timer = setInterval(() => this.look(), lookEveryMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** To be called with every event of the worker. */
  onEvent(event: WorkerEvent): void {
    this.#overdue.onEvent(event);
    if (event.type === "task.started") this.#begun += 1;
    if (this.#begun >= this.#mostTasks) this.#usedUp(`${this.#begun} tasks, the limit is ${this.#mostTasks}`);
  }

  /** Looks at the memory. Done every 5 s by itself. */
  look(): void {
    const { maxBytes = Infinity, memory } = this.#options;
    const bytes = memory();
    if (bytes >= maxBytes) this.#usedUp(`${megabytes(bytes)} of memory, the limit is ${megabytes(maxBytes)}`);
  }

  #lookForEnd(): void {
    if (!this.#overdue.isAllOf(this.#options.worker)) return;
    clearInterval(this.#timer);
    this.#options.onDone();
  }

  #usedUp(reason: string): void {
    if (this.#isUsedUp) return;
    this.#isUsedUp = true;
    this.#options.onUsedUp(reason);
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#lookForEnd(), lookForEndMs).unref();
  }
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1024 / 1024)} MB`;
}
