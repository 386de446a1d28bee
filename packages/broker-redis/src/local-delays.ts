/** Tells the consumers of this process what this process delays: they need not find out by looking. */
export class LocalDelays {
  readonly #listeners = new Map<string, Set<(delayMs: number) => void>>();

  /** Calls back with the milliseconds until a message of the queue may be delivered. */
  listen(queue: string, listener: (delayMs: number) => void): () => void {
    const listeners = this.#listeners.get(queue) ?? new Set();
    this.#listeners.set(queue, listeners);
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }

  announce(queue: string, delayMs: number): void {
    if (delayMs <= 0) return;
    const listeners = this.#listeners.get(queue) ?? [];
    for (const listener of listeners) listener(delayMs);
  }
}
