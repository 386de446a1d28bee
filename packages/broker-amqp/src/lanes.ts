import type { Arrival } from "./arrival.ts";
import type { Session } from "./session.ts";

/** What has come and is not handed out yet, queue by queue. Each queue gets its turns, however much of another there is. */
export class Lanes {
  /** Each name once. */
  readonly queues: readonly string[];
  readonly #turns: readonly string[];
  readonly #waiting = new Map<string, Arrival[]>();
  #nextTurn = 0;

  /** @param turns names of queues, one that stands there n times has n turns */
  constructor(turns: readonly string[]) {
    this.#turns = turns;
    this.queues = [...new Set(turns)];
    for (const queue of this.queues) this.#waiting.set(queue, []);
  }

  turnsOf(queue: string): number {
    return this.#turns.filter((name) => name === queue).length;
  }

  add(arrival: Arrival): void {
    this.#waiting.get(arrival.queue)?.push(arrival);
  }

  /** The first of the queue whose turn it is; of a queue without any, or whose first one is not sorted yet, the turn is the next one's. */
  next(): Arrival | undefined {
    for (let step = 0; step < this.#turns.length; step += 1) {
      const turn = (this.#nextTurn + step) % this.#turns.length;
      const waiting = this.#waiting.get(this.#turns[turn] ?? "");
      if (waiting?.[0]?.isSorted !== true) continue;
      this.#nextTurn = turn + 1;
      return waiting.shift();
    }
    return undefined;
  }

  /** Takes out all of a queue. */
  take(queue: string): readonly Arrival[] {
    const waiting = this.#waiting.get(queue) ?? [];
    this.#waiting.set(queue, []);
    return waiting;
  }

  /** Takes out those of which it is so, and of which everything is known. */
  takeWhere(isSo: (arrival: Arrival) => boolean): readonly Arrival[] {
    return this.#takeOut((arrival) => arrival.isSorted && isSo(arrival));
  }

  /** Takes out all that has come in a session. */
  takeFrom(session: Session): readonly Arrival[] {
    return this.#takeOut((arrival) => arrival.session === session);
  }

  takeAll(): readonly Arrival[] {
    return this.queues.flatMap((queue) => this.take(queue));
  }

  #takeOut(isTaken: (arrival: Arrival) => boolean): readonly Arrival[] {
    return this.queues.flatMap((queue) => {
      const waiting = this.take(queue);
      this.#waiting.set(
        queue,
        waiting.filter((arrival) => !isTaken(arrival)),
      );
      return waiting.filter(isTaken);
    });
  }
}
