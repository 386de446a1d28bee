import type { Child } from "./child.ts";

/** Keeps a number of workers running, as a supervisor does: one that dies is replaced at once. */
export class Fleet {
  /** Why workers ended that no row had killed. */
  readonly failures: string[] = [];
  /** How many have ended, whatever the reason. */
  deaths = 0;
  readonly #start: () => Child;
  readonly #workers = new Set<Child>();
  /** The time for one that ends to be replaced is over. */
  #isStopping = false;

  constructor(size: number, start: () => Child) {
    this.#start = start;
    for (let number = 0; number < size; number += 1) this.#add();
  }

  get workers(): readonly Child[] {
    return [...this.#workers];
  }

  /** One of them, drawn by a number from 0 to 1. */
  pick(random: number): Child {
    const worker = this.workers[Math.floor(random * this.#workers.size)];
    if (worker === undefined) throw new Error("expected a fleet with workers");
    return worker;
  }

  /** Ends all, gracefully. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await Promise.all(this.workers.map((worker) => worker.stop()));
  }

  /** Kills all. */
  async end(): Promise<void> {
    this.#isStopping = true;
    await Promise.all(this.workers.map((worker) => worker.kill()));
  }

  #add(): void {
    const worker = this.#start();
    this.#workers.add(worker);
    void worker.exited.then(() => {
      this.deaths += 1;
      this.#workers.delete(worker);
      if (worker.failure !== undefined) this.failures.push(worker.failure);
      if (!this.#isStopping) this.#add();
    });
  }
}
