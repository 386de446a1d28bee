import type { Clock } from "./clock.ts";

/** The keys of sends in this process's memory. A key is a queue's own. */
export class UsedKeys {
  readonly #clock: Clock;
  /** Monotonic milliseconds until which a key counts as used, those that were used last behind. */
  readonly #usedUntil = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  has(queue: string, key: string): boolean {
    const usedUntil = this.#usedUntil.get(nameOf(queue, key));
    return usedUntil !== undefined && usedUntil > this.#clock.monotonic();
  }

  /** Counts as used for `ttlMs` from now. */
  add(queue: string, key: string, ttlMs: number): void {
    const now = this.#clock.monotonic();
    this.#forget(now);
    const name = nameOf(queue, key);
    this.#usedUntil.delete(name);
    this.#usedUntil.set(name, now + ttlMs);
  }

  /** The oldest keys are the first in the map; this ends at one that still counts. */
  #forget(now: number): void {
    for (const [name, usedUntil] of this.#usedUntil) {
      if (usedUntil > now) return;
      this.#usedUntil.delete(name);
    }
  }
}

function nameOf(queue: string, key: string): string {
  return JSON.stringify([queue, key]);
}
