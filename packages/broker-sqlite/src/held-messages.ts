/** A delivery that somebody may take from us. */
export interface Losable {
  lose(): void;
}

/** What this broker has handed out and not settled yet. */
export class HeldMessages {
  readonly #held = new Set<Losable>();

  add(delivery: Losable): void {
    this.#held.add(delivery);
  }

  remove(delivery: Losable): void {
    this.#held.delete(delivery);
  }

  /** Tells all of them that they are not ours any more. */
  loseAll(): void {
    const lost = [...this.#held];
    this.#held.clear();
    for (const delivery of lost) delivery.lose();
  }
}
