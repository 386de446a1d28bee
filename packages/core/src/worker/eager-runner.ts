import type { AppSettings } from "../app-options.ts";
import type { DeadReason, Delivery } from "../broker/delivery.ts";
import { composeRun } from "../middleware.ts";
import type { Task } from "../task.ts";
import { Attempt } from "./attempt.ts";
import { Settling } from "./settling.ts";
import { TimeLimits } from "./time-limits.ts";
import { triage } from "./triage.ts";
import { readWorkerOptions } from "./worker-options.ts";

/** Runs single deliveries without a worker, for `eager` apps. */
export class EagerRunner {
  readonly #settings: AppSettings;
  readonly #tasks: ReadonlyMap<string, Task<never>>;
  readonly #timeLimits: TimeLimits;

  constructor(settings: AppSettings, tasks: ReadonlyMap<string, Task<never>>) {
    this.#settings = settings;
    this.#tasks = tasks;
    this.#timeLimits = new TimeLimits(settings.clock);
  }

  async run(delivery: Delivery): Promise<void> {
    const { clock, logger, maxCrashes, middleware } = this.#settings;
    const { decodeLimits } = readWorkerOptions({ name: "eager" }, this.#settings, this.#tasks);
    // Nobody else could take it: what is unknown here is unknown everywhere.
    const rules = { worker: "eager", tasks: this.#tasks, limits: decodeLimits, maxCrashes, parkForMs: 0 };
    const sorted = triage(delivery, rules, clock.now());
    if (sorted.kind === "settle") {
      await delivery.settle(sorted.outcome);
      return;
    }
    const { task, message } = sorted;
    let death: DeadReason | undefined;
    let onOver = (): void => {};
    const over = new Promise<void>((resolve) => (onOver = resolve));
    const attempt = new Attempt(delivery, task, message, {
      worker: "eager",
      clock,
      logger,
      runner: composeRun(middleware),
      timeLimits: this.#timeLimits,
      settling: new Settling(() => {}),
      softTimeLimitMs: null,
      timeLimitMs: null,
      emit: (event) => {
        if (event.type === "task.dead") death = event.reason;
        // Its code may never end, and its sender waits.
        if (event.type === "task.overdue") onOver();
      },
    });
    attempt.run((_attempt, result) => {
      attempt.conclude(result);
      onOver();
    });
    await over;
    // A worker would have acknowledged it before; here the sender waits to hear of it.
    if (task.isAtMostOnce && death !== undefined) await delivery.settle({ kind: "bury", reason: death });
  }
}
