import type { Worker, WorkerEvent } from "@q/core";

/** Knows which messages were settled while their handler ran on, past its time limit: nobody waits for those. */
export class Overdue {
  readonly #ids = new Set<string>();

  /** To be called with every event of the worker. */
  onEvent(event: WorkerEvent): void {
    if (event.type === "task.overdue") this.#ids.add(event.id);
    if (event.type === "task.started") this.#ids.delete(event.id);
  }

  /** How many of them run. */
  countIn(worker: Pick<Worker, "running">): number {
    return worker.running().filter(({ id }) => this.#ids.has(id)).length;
  }

  /** Whether nothing else runs. */
  isAllOf(worker: Pick<Worker, "running">): boolean {
    return worker.running().every(({ id }) => this.#ids.has(id));
  }
}
