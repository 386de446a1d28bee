import type { Clock } from "../clock.ts";

const bucketMs = 10_000;
const mostBuckets = 6;

/** Counts what ended in the last minute, by queue. The ten seconds that are under way count, so it is the last 50 to 60 s. */
export class Throughput {
  readonly #clock: Clock;
  /** By queue, for each ten seconds; the key is how many of them went before. */
  readonly #buckets = new Map<number, Map<string, number>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param at monotonic milliseconds */
  ended(queue: string, at: number): void {
    const period = periodOf(at);
    let bucket = this.#buckets.get(period);
    if (bucket === undefined) {
      this.#forget(period);
      this.#buckets.set(period, (bucket = new Map<string, number>()));
    }
    bucket.set(queue, (bucket.get(queue) ?? 0) + 1);
  }

  /** The busiest queues, at most `mostQueues`. One in which nothing ended is not among them. */
  perMinute(mostQueues: number): Readonly<Record<string, number>> {
    this.#forget(periodOf(this.#clock.monotonic()));
    const sums = new Map<string, number>();
    for (const bucket of this.#buckets.values()) {
      for (const [queue, count] of bucket) sums.set(queue, (sums.get(queue) ?? 0) + count);
    }
    return Object.fromEntries([...sums].toSorted(([, one], [, other]) => other - one).slice(0, mostQueues));
  }

  #forget(now: number): void {
    for (const period of this.#buckets.keys()) if (period <= now - mostBuckets) this.#buckets.delete(period);
  }
}

function periodOf(ms: number): number {
  return Math.floor(ms / bucketMs);
}
