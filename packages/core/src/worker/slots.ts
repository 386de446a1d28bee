import type { Delivery } from "../broker/delivery.ts";

/** Starts a delivery. `true` when that takes a slot, until `freed` is called for it, which may be at once; `false` when it needs none. */
export type Start = (delivery: Delivery) => boolean;

const soon = Promise.resolve();

/**
 * Decides which delivery runs when: first come, first served, as many at once as there are slots. A suspect, a message that was in a worker
 * when it died, runs only while no other suspect does, so that the next death has one culprit.
 *
 * One starts in a microtask, so that a task which waits for nothing has ended before the next one starts. With a hundred of them under way, each
 * step of a fetch would wait for a hundred tasks, and the broker be asked for more only when all that is held has run.
 */
export class Slots {
  readonly #size: number;
  readonly #start: Start;
  readonly #onFree: () => void;
  #waiting: Delivery[] = [];
  #suspects: Delivery[] = [];
  #busy = 0;
  #started = 0;
  #suspectRuns = false;
  #isHolding = false;
  #isFilling = false;
  /** The next start comes in a microtask. */
  #goesOn = false;

  /** @param onFree told whenever a slot stays free */
  constructor(size: number, start: Start, onFree: () => void) {
    this.#size = size;
    this.#start = start;
    this.#onFree = onFree;
  }

  get busy(): number {
    return this.#busy;
  }

  get free(): number {
    return this.#size - this.#busy;
  }

  /** How many have been started so far. */
  get started(): number {
    return this.#started;
  }

  /** How many wait for a slot, without suspects that are held back. */
  get waiting(): number {
    return this.#waiting.length;
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
    this.#tellFree();
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
    if (this.#isFilling || this.#goesOn) return;
    this.#isFilling = true;
    try {
      while (!this.#isHolding && this.#busy < this.#size) {
        const delivery = this.#next();
        if (delivery === undefined) return;
        const before = this.#busy;
        this.#begin(delivery);
        // What ends as soon as it starts has freed its slot by now, and this goes on by itself.
        if (this.#busy > before) return this.#goOnSoon();
      }
    } finally {
      this.#isFilling = false;
    }
  }

  #begin(delivery: Delivery): void {
    // Taken before it starts: a handler may offer or resume before its first await.
    this.#busy += 1;
    this.#started += 1;
    if (delivery.crashes > 0) this.#suspectRuns = true;
    if (!this.#start(delivery)) this.#leave(delivery);
  }

  #goOnSoon(): void {
    if (this.#busy >= this.#size) return;
    this.#goesOn = true;
    void soon.then(this.#goOn);
  }

  readonly #goOn = (): void => {
    this.#goesOn = false;
    this.#fill();
    this.#tellFree();
  };

  #tellFree(): void {
    if (!this.#goesOn && this.#busy < this.#size) this.#onFree();
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
