import type { History } from "./history.ts";

/** When a message first ran, compared with when it was due. Milliseconds, by the clock of the machine. */
export interface FirstRun {
  readonly id: string;
  readonly delayMs: number;
  /** It was stored at some time between these two, and its delay counts from then. */
  readonly dueBetween: readonly [earliest: number, latest: number];
  readonly startedAt: number;
}

/** Of every message that has run. */
export function firstRuns({ traces }: History): readonly FirstRun[] {
  const found: FirstRun[] = [];
  for (const [id, { events }] of traces) {
    const sent = events.find(({ e }) => e === "try");
    const stored = events.find(({ e }) => e === "ok") ?? sent;
    const start = events.find(({ e }) => e === "start");
    if (sent === undefined || stored === undefined || start === undefined) continue;
    const { delayMs = 0 } = sent;
    found.push({ id, delayMs, dueBetween: [sent.at + delayMs, stored.at + delayMs], startedAt: start.at });
  }
  return found;
}

/** Those that ran before they were due. */
export function early(runs: readonly FirstRun[]): readonly string[] {
  // A time in the log is rounded.
  return runs.filter(({ dueBetween: [due], startedAt }) => startedAt < due - 2).map(({ id }) => id);
}

/**
 * By how much what was delayed came later than what was not. On a busy machine both wait for a free worker.
 * @param share compares the ones of each than which this share came earlier
 */
export function lateBecauseOfDelay(runs: readonly FirstRun[], share: number): number {
  const late = (of: readonly FirstRun[]): number => {
    const sorted = of
      .map(({ dueBetween: [, due], startedAt }) => startedAt - due)
      .toSorted((one, other) => one - other);
    return sorted[Math.floor(sorted.length * share)] ?? Infinity;
  };
  return late(runs.filter(({ delayMs }) => delayMs > 0)) - late(runs.filter(({ delayMs }) => delayMs === 0));
}
