import { randomUUID } from "node:crypto";
import type { QueueKeys } from "./keys.ts";
import { Settler } from "./settler.ts";
import type { Store } from "./store.ts";

export interface IncarnationOptions {
  readonly keys: QueueKeys;
  /** Who it is, for those who look whether it still lives: the process, without what makes it unique. */
  readonly process: string;
  readonly onLost: () => void;
  /** Told whenever it holds nothing any more. */
  readonly onEmpty: () => void;
}

/**
 * A consumer of one queue between getting a lease and losing it. Its id is never used again: what is done in its name afterwards finds nothing,
 * and that is the fence.
 */
export class Incarnation {
  readonly id: string;
  readonly settler: Settler;
  readonly #held = new Set<number>();
  #lastFence = 0;
  readonly #lost = new AbortController();
  readonly #options: IncarnationOptions;

  constructor(store: Store, options: IncarnationOptions) {
    this.#options = options;
    this.id = `${randomUUID()}@${options.process}`;
    this.settler = new Settler(store, {
      keys: options.keys,
      consumerId: this.id,
      onLost: () => this.lose(),
      onEnded: (fences) => this.#forget(fences),
    });
  }

  /** Aborts when the lease is gone, and with it everything that was held. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  get isEmpty(): boolean {
    return this.#held.size === 0;
  }

  /** Fences of what is held, as far as is known. */
  get held(): ReadonlySet<number> {
    return this.#held;
  }

  /** The highest that it has seen; 0 before the first. */
  get lastFence(): number {
    return this.#lastFence;
  }

  hold(fence: number): void {
    this.#held.add(fence);
    this.#lastFence = Math.max(this.#lastFence, fence);
  }

  /** Held until the store has the outcome: a claim whose answer was lost must not be mistaken for it. */
  #forget(fences: readonly number[]): void {
    for (const fence of fences) this.#held.delete(fence);
    if (this.#held.size === 0) this.#options.onEmpty();
  }

  lose(): void {
    if (this.#lost.signal.aborted) return;
    this.#held.clear();
    this.#lost.abort();
    this.#options.onLost();
  }
}
