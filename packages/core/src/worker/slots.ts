import type { Delivery } from "../broker/delivery.ts";

/**
 * Starts a delivery. The promise resolves when its slot is free again and never rejects; `undefined` when it needed none.
 */
export type Start = (delivery: Delivery) => Promise<void> | undefined;

/**
 * Decides which delivery runs when: first come, first served, as many at once as there are slots. A suspect, a message that was in a worker
 * when it died, runs only while no other suspect does, so that the next death has one culprit.
 */
export class Slots {
  readonly #size: number;
  readonly #start: Start;
  readonly #onFreed: () => void;
  #waiting: Delivery[] = [];
  #suspects: Delivery[] = [];
  #busy = 0;
  #suspectRuns = false;
  #isHolding = false;

  /** @param onFreed told whenever a slot stays free */
  constructor(size: number, start: Start, onFreed: () => void) {
    this.#size = size;
    this.#start = start;
    this.#onFreed = onFreed;
  }

  get busy(): number {
    return this.#busy;
  }

  get free(): number {
    return this.#size - this.#busy;
  }

  /** Suspects that are held back because another one runs. */
  get waitingSuspects(): number {
    return this.#suspects.length;
  }

  offer(delivery: Delivery): void {
    this.#waiting.push(delivery);
    this.#fill();
  }

  /** Starts nothing more until `go`. What is offered meanwhile waits. */
  hold(): void {
    this.#isHolding = true;
  }

  go(): void {
    this.#isHolding = false;
    this.#fill();
  }

  /** Everything that has not started, for giving back. */
  takeUnstarted(): readonly Delivery[] {
    const unstarted = [...this.#suspects, ...this.#waiting];
    this.#suspects = [];
    this.#waiting = [];
    return unstarted;
  }

  #fill(): void {
    while (!this.#isHolding && this.#busy < this.#size) {
      const delivery = this.#next();
      if (delivery === undefined) return;
      const isSuspect = delivery.crashes > 0;
      // Taken before it starts: a handler may offer or resume before its first await.
      this.#busy += 1;
      if (isSuspect) this.#suspectRuns = true;
      const run = this.#start(delivery);
      if (run === undefined) {
        this.#busy -= 1;
        if (isSuspect) this.#suspectRuns = false;
        continue;
      }
      void run.then(() => {
        this.#busy -= 1;
        if (isSuspect) this.#suspectRuns = false;
        this.#fill();
        if (this.#busy < this.#size) this.#onFreed();
      });
    }
  }

  #next(): Delivery | undefined {
    if (!this.#suspectRuns && this.#suspects.length > 0) return this.#suspects.shift();
    for (;;) {
      const delivery = this.#waiting.shift();
      if (delivery === undefined || delivery.crashes === 0 || !this.#suspectRuns) return delivery;
      this.#suspects.push(delivery);
    }
  }
}
