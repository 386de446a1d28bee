import type { WorkerEvent } from "@q/core";

/** Counts ended attempts over the last minute, for the footer. */
export class Tally {
  readonly #now: () => number;
  readonly #seconds: { at: number; ended: number; failed: number }[] = [];

  /** @param now monotonic milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  count(event: WorkerEvent): void {
    const failed = event.type === "task.retried" || event.type === "task.dead" || event.type === "task.overdue";
    if (!failed && event.type !== "task.succeeded" && event.type !== "task.ignored") return;
    const at = Math.floor(this.#now() / 1000);
    let second = this.#seconds.at(-1);
    if (second === undefined || second.at !== at) {
      second = { at, ended: 0, failed: 0 };
      this.#seconds.push(second);
      this.#forget(at);
    }
    second.ended += 1;
    if (failed) second.failed += 1;
  }

  /** Of the last 60 seconds. `failing` is a share from 0 to 1. */
  lastMinute(): { readonly ended: number; readonly failing: number } {
    this.#forget(Math.floor(this.#now() / 1000));
    const ended = this.#seconds.reduce((sum, second) => sum + second.ended, 0);
    const failed = this.#seconds.reduce((sum, second) => sum + second.failed, 0);
    return { ended, failing: ended === 0 ? 0 : failed / ended };
  }

  #forget(at: number): void {
    while ((this.#seconds[0]?.at ?? at) <= at - 60) this.#seconds.shift();
  }
}
