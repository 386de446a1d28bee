/** How many taken places may pile up in front before the array is cut. */
const longestGap = 1024;

/** A line of waiting items, O(1) at both ends. */
export class ReadyLine<T> {
  /** Put back at the head: the last one is next. */
  #returned: T[] = [];
  #waiting: T[] = [];
  /** Where the waiting ones begin; what lies before has been taken. */
  #first = 0;

  get size(): number {
    return this.#returned.length + this.#waiting.length - this.#first;
  }

  addLast(item: T): void {
    this.#waiting.push(item);
  }

  addFirst(item: T): void {
    this.#returned.push(item);
  }

  take(): T | undefined {
    if (this.#returned.length > 0) return this.#returned.pop();
    if (this.#first === this.#waiting.length) return undefined;
    const item = this.#waiting[this.#first];
    this.#first += 1;
    if (this.#first > longestGap && this.#first * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#first);
      this.#first = 0;
    }
    return item;
  }

  /** Everything in it, next first. */
  items(): T[] {
    return [...this.#returned.toReversed(), ...this.#waiting.slice(this.#first)];
  }
}
