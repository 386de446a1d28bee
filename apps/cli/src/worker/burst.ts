import type { Worker, WorkerEvent } from "@q/core";
import type { QueueInspector } from "@q/core/broker";

export interface BurstOptions {
  readonly worker: Worker;
  /** Where the broker has one, it says whether anything is ready that has not arrived yet. */
  readonly inspector: QueueInspector | undefined;
  /** Milliseconds without work after which the burst is over. */
  readonly idleMs: number;
  /** Started attempts after which it is over: what runs then still ends. `undefined`: no limit. */
  readonly max: number | undefined;
  /** Called in the middle of the worker's work, so that it takes no more than it should. */
  readonly onOver: () => void;
}

const lookMs = 50;

/** Decides when a worker that was started with `--burst` has nothing left to do, and says so once. */
export class Burst {
  readonly #options: BurstOptions;
  #started = 0;
  #isOver = false;
  #timer: NodeJS.Timeout | undefined;
  #lastEventAt = performance.now();
  #asking = false;

  constructor(options: BurstOptions) {
    this.#options = options;
  }

  start(): void {
    this.#lastEventAt = performance.now();
    this.#timer = setInterval(() => void this.#look(), lookMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** To be called with every event of the worker. */
  onEvent(event: WorkerEvent): void {
    if (!("id" in event)) return;
    this.#lastEventAt = performance.now();
    if (event.type !== "task.started") return;
    this.#started += 1;
    if (this.#started >= (this.#options.max ?? Infinity)) this.#onOver();
  }

  async #look(): Promise<void> {
    const { worker, idleMs } = this.#options;
    if (this.#asking || worker.stats().busy > 0 || performance.now() - this.#lastEventAt < idleMs) return;
    this.#asking = true;
    if (!(await this.#somethingIsReady())) this.#onOver();
    this.#asking = false;
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
