import type { Worker, WorkerEvent } from "@q/core";
import type { QueueInspector } from "@q/core/broker";
import { Overdue } from "./overdue.ts";

export interface BurstOptions {
  readonly worker: Pick<Worker, "stats" | "queues" | "running">;
  /** Where the broker has one, it says whether anything is ready that has not arrived yet. */
  readonly inspector: QueueInspector | undefined;
  /** Milliseconds without work after which the burst is over. */
  readonly idleMs: number;
  /** Started attempts after which the worker takes no more. `undefined`: no limit. */
  readonly max: number | undefined;
  /** Called in the middle of the worker's work, when it has begun as many as it may. */
  readonly onFull: () => void;
  /** Called once, when nothing is left to do. What runs after `onFull` is done by then, however long it takes. */
  readonly onOver: () => void;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
}

const lookMs = 50;

/** Decides when a worker that was started with `--burst` has nothing left to do, and says so once. */
export class Burst {
  readonly #options: BurstOptions;
  readonly #now: () => number;
  #started = 0;
  readonly #overdue = new Overdue();
  #isOver = false;
  #timer: NodeJS.Timeout | undefined;
  /** Since when nothing has been seen to happen. A look that comes late, because a task blocked the event loop, has seen nothing. */
  #quietSince: number | undefined;
  #asking = false;

  constructor(options: BurstOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  start(): void {
    this.#timer = setInterval(() => void this.#look(), lookMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** To be called with every event of the worker. */
  onEvent(event: WorkerEvent): void {
    if (!("id" in event)) return;
    this.#quietSince = undefined;
    this.#overdue.onEvent(event);
    if (event.type !== "task.started") return;
    this.#started += 1;
    if (this.#isFull) this.#options.onFull();
  }

  get #isFull(): boolean {
    return this.#started >= (this.#options.max ?? Infinity);
  }

  get #isBusy(): boolean {
    const { worker } = this.#options;
    return worker.stats().busy > this.#overdue.countIn(worker);
  }

  async #look(): Promise<void> {
    const { worker, idleMs } = this.#options;
    if (this.#isFull) {
      if (this.#overdue.isAllOf(worker)) this.#onOver();
      return;
    }
    if (this.#asking) return;
    const now = this.#now();
    this.#quietSince = this.#isBusy ? undefined : (this.#quietSince ?? now);
    if (now - (this.#quietSince ?? now) < idleMs) return;
    this.#asking = true;
    const isReady = await this.#somethingIsReady();
    this.#asking = false;
    // What is no longer ready may have arrived here meanwhile.
    if (!isReady && this.#quietSince !== undefined && !this.#isBusy) this.#onOver();
  }

  #onOver(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#options.onOver();
  }

  /** A queue that cannot be asked counts as empty: the idle time has passed. */
  async #somethingIsReady(): Promise<boolean> {
    const { inspector, worker } = this.#options;
    if (inspector === undefined) return false;
    try {
      const stats = await Promise.all([...new Set(worker.queues)].map((queue) => inspector.stats(queue)));
      return stats.some(({ ready, paused }) => ready !== null && ready > 0 && !paused);
    } catch {
      // A broker that is away has nothing ready. Waiting on for it is not what a burst is for.
      return false;
    }
  }
}
