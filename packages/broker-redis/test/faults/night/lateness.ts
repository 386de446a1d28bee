import type { History } from "@q/fault-kit";

/** When a delayed message first ran, compared with when it was due. Milliseconds, by the clock of the machine. */
export interface Lateness {
  readonly id: string;
  /** It was stored at some time between these two, and its delay counts from then. */
  readonly dueBetween: readonly [earliest: number, latest: number];
  readonly startedAt: number;
}

/** Of every delayed message that has run. */
export function lateness({ traces }: History): readonly Lateness[] {
  const found: Lateness[] = [];
  for (const [id, { events }] of traces) {
    const sent = events.find(({ e }) => e === "try");
    const stored = events.find(({ e }) => e === "ok") ?? sent;
    const start = events.find(({ e }) => e === "start");
    const { delayMs = 0 } = sent ?? {};
    if (sent === undefined || stored === undefined || start === undefined || delayMs === 0) continue;
    found.push({ id, dueBetween: [sent.at + delayMs, stored.at + delayMs], startedAt: start.at });
  }
  return found;
}

export function early(all: readonly Lateness[]): readonly string[] {
  // A time in the log is rounded.
  return all.filter(({ dueBetween: [due], startedAt }) => startedAt < due - 2).map(({ id }) => id);
}

/** By how much the one came late than which `share` of all came earlier. */
export function lateBy(all: readonly Lateness[], share: number): number {
  const sorted = all.map(({ dueBetween: [, due], startedAt }) => startedAt - due).toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length * share)] ?? Infinity;
}
