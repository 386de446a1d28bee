import type { Delivery } from "../broker/delivery.ts";

/** Starts a delivery. `true` when that takes a slot, until `freed` is called for it, which may be at once; `false` when it needs none. */
export type Start = (delivery: Delivery) => boolean;

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
  #isFilling = false;

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

  /** To be called once when the slot of a delivery is free again. */
  freed(delivery: Delivery): void {
    this.#leave(delivery);
    this.#fill();
    if (this.#busy < this.#size) this.#onFreed();
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
    // What ends as soon as it starts frees its slot while this still runs, which then goes on by itself.
    if (this.#isFilling) return;
    this.#isFilling = true;
    try {
      while (!this.#isHolding && this.#busy < this.#size) {
        const delivery = this.#next();
        if (delivery === undefined) return;
        // Taken before it starts: a handler may offer or resume before its first await.
        this.#busy += 1;
        if (delivery.crashes > 0) this.#suspectRuns = true;
        if (!this.#start(delivery)) this.#leave(delivery);
      }
    } finally {
      this.#isFilling = false;
    }
  }

  #leave(delivery: Delivery): void {
    this.#busy -= 1;
    if (delivery.crashes > 0) this.#suspectRuns = false;
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
