import type { Logger, Worker } from "@q/core";

/**
 * Pauses a worker and lets it go on, by whoever asks: signals, keys, and what counts its tasks. One that has done its share stays paused,
 * or it would take tasks and never end. A broker that is away is told to the logger, not thrown: nobody waits for a signal's end.
 */
export class WorkerPause {
  readonly #worker: Pick<Worker, "state" | "pause" | "resume">;
  #isForGood = false;

  constructor(worker: Pick<Worker, "state" | "pause" | "resume">) {
    this.#worker = worker;
  }

  begin(logger: Logger): void {
    this.#worker.pause().catch((error: unknown) => logger.error({ err: error }, "could not pause"));
  }

  /** As `begin`, and nothing ends it any more. */
  beginForGood(logger: Logger): void {
    this.#isForGood = true;
    this.begin(logger);
  }

  end(logger: Logger): void {
    if (this.#isForGood) {
      logger.info({}, "this process has done its share: it takes no more tasks, and ends when all that runs is done");
      return;
    }
    this.#worker.resume().catch((error: unknown) => logger.error({ err: error }, "could not go on; try again"));
  }

  /** Begins it or ends it. */
  toggle(logger: Logger): void {
    if (this.#worker.state === "paused") this.end(logger);
    else this.begin(logger);
  }
}
