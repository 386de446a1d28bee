import type { Life, Liveness, ProcessIdentity } from "@q/core/broker";

/** One that was started here. */
export interface SimulatedProcess {
  readonly liveness: Liveness;
  /** From now on the others see that it is gone. */
  die(): void;
  /** The others see that it is gone, and it goes on as another one: as if it had been paused for too long. */
  replace(): void;
}

/** Processes that exist only for the brokers of one test, so that they can die one by one. */
export class SimulatedProcesses {
  readonly #alive = new Set<number>();
  #lastPid = 0;

  start(): SimulatedProcess {
    let own = this.#next();
    const check = (other: ProcessIdentity): Life => (this.#alive.has(other.pid) ? "alive" : "dead");
    return {
      liveness: {
        get own() {
          return own;
        },
        check,
      },
      die: () => void this.#alive.delete(own.pid),
      replace: () => {
        this.#alive.delete(own.pid);
        own = this.#next();
      },
    };
  }

  #next(): ProcessIdentity {
    this.#lastPid += 1;
    this.#alive.add(this.#lastPid);
    return { pid: this.#lastPid, startedAt: "0", bootId: "simulated", pidNamespace: "simulated" };
  }
}
