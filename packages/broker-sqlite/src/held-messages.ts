import { Bag, type Baggable } from "@q/core/broker";

/** A delivery that somebody may take from us. */
export interface Losable extends Baggable {
  lose(): void;
}

/** What this broker has handed out and not settled yet. */
export class HeldMessages {
  readonly #held = new Bag<Losable>();

  add(delivery: Losable): void {
    this.#held.add(delivery);
  }

  remove(delivery: Losable): void {
    this.#held.delete(delivery);
  }

  /** Tells all of them that they are not ours any more. */
  loseAll(): void {
    const lost = [...this.#held];
    for (const delivery of lost) {
      this.#held.delete(delivery);
      delivery.lose();
    }
  }
}
