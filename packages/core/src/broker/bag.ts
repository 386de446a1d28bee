/** Something that can be in a bag, in one at a time. */
export interface Baggable {
  /** Where it is in its bag, which alone writes this. 0 at first. */
  place: number;
}

/**
 * A set, in no order, of what comes and goes all the time. A `Set` makes itself a new table every few dozen changes, and V8 links the old one to
 * it: one dead table that has become old keeps all that follow alive, with what is in them, until the next full collection.
 */
export class Bag<T extends Baggable> {
  readonly #items: T[] = [];

  get size(): number {
    return this.#items.length;
  }

  add(item: T): void {
    item.place = this.#items.push(item) - 1;
  }

  /** Does nothing when it is not there. */
  delete(item: T): void {
    if (this.#items[item.place] !== item) return;
    const last = this.#items.pop();
    if (last === undefined || last === item) return;
    this.#items[item.place] = last;
    last.place = item.place;
  }

  [Symbol.iterator](): Iterator<T> {
    return this.#items.values();
  }
}
