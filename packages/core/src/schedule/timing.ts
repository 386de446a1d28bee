/** The planned times of a schedule. Pure: the same answers in every process. All times are epoch milliseconds. */
export interface Timing {
  /** The first one after `afterMs`; `null` when there is none any more. */
  next(afterMs: number): number | null;
  /** The last ones after `afterMs` and up to `untilMs`, at most `most`, oldest first. */
  latest(range: { readonly afterMs: number; readonly untilMs: number; readonly most: number }): readonly number[];
}

/** Every `everyMs` milliseconds from 1970 on, so that all processes agree without having started together. */
export class IntervalTiming implements Timing {
  readonly #everyMs: number;

  constructor(everyMs: number) {
    this.#everyMs = everyMs;
  }

  next(afterMs: number): number {
    return this.#upTo(afterMs) + this.#everyMs;
  }

  latest({ afterMs, untilMs, most }: Parameters<Timing["latest"]>[0]): readonly number[] {
    const found: number[] = [];
    for (let at = this.#upTo(untilMs); at > afterMs && found.length < most; at -= this.#everyMs) found.push(at);
    return found.toReversed();
  }

  #upTo(ms: number): number {
    return Math.floor(ms / this.#everyMs) * this.#everyMs;
  }
}
