/** Hands out the smallest first, in O(log n). Whether equal ones keep their order is up to `before`. */
export class MinHeap<T> {
  readonly #before: (a: T, b: T) => boolean;
  #items: T[] = [];

  constructor(before: (a: T, b: T) => boolean) {
    this.#before = before;
  }

  get size(): number {
    return this.#items.length;
  }

  peek(): T | undefined {
    return this.#items[0];
  }

  push(item: T): void {
    let at = this.#items.push(item) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  pop(): T | undefined {
    const last = this.#items.length - 1;
    if (last > 0) this.#swap(0, last);
    const top = this.#items.pop();
    this.#sink();
    return top;
  }

  /** Everything in it, smallest first. The heap stays as it is. */
  sorted(): T[] {
    return this.#items.toSorted((a, b) => (this.#before(a, b) ? -1 : 1));
  }

  /** Forgets the items that do not match. */
  keep(matches: (item: T) => boolean): void {
    const kept = this.#items.filter(matches);
    this.#items = [];
    for (const item of kept) this.push(item);
  }

  #sink(): void {
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const right = left + 1;
      let smallest = at;
      if (left < this.#items.length && this.#isBefore(left, smallest)) smallest = left;
      if (right < this.#items.length && this.#isBefore(right, smallest)) smallest = right;
      if (smallest === at) return;
      this.#swap(at, smallest);
      at = smallest;
    }
  }

  #isBefore(a: number, b: number): boolean {
    // Both are below the length: the callers check.
    return this.#before(this.#items[a] as T, this.#items[b] as T);
  }

  #swap(a: number, b: number): void {
    // As above.
    const item = this.#items[a] as T;
    this.#items[a] = this.#items[b] as T;
    this.#items[b] = item;
  }
}
