/** What arrives under some key, each for one taker. */
export class Inbox<T> {
  readonly #arrived = new Map<string, T>();
  readonly #takers = new Map<string, (value: T) => void>();

  put(key: string, value: T): void {
    const taker = this.#takers.get(key);
    if (taker === undefined) this.#arrived.set(key, value);
    else taker(value);
    this.#takers.delete(key);
  }

  has(key: string): boolean {
    return this.#arrived.has(key);
  }

  /** Waits for it; the time limit of the test ends a wait in vain. */
  take(key: string): Promise<T> {
    const value = this.#arrived.get(key);
    this.#arrived.delete(key);
    if (value !== undefined) return Promise.resolve(value);
    return new Promise((resolve) => this.#takers.set(key, resolve));
  }
}
