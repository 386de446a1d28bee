import type { History, Trace } from "./history.ts";

/** What a history shows, as Jepsen judges a queue. */
export interface Verdict {
  /** Stored, and never done nor dead. */
  readonly lost: readonly string[];
  /** Ran, and nobody ever sent it. */
  readonly ghosts: readonly string[];
  /** Acknowledged more than once: two workers believed that it was theirs. None where copies may exist. */
  readonly ackedTwice: readonly string[];
  /** Runs beyond the first of the same attempt. Where copies may exist, not the retries of one: they follow from the first that ran twice. */
  readonly duplicates: number;
  readonly stored: number;
  readonly done: number;
  readonly dead: readonly string[];
}

/** What a row may excuse. */
export interface Leniency {
  /** Messages that the server may have lost or brought back by what is done to it. Default none. */
  readonly isExcused?: (id: string) => boolean;
  /** Copies of a message may exist, and each be acknowledged: a broker without a memory of what it stored may store it again. Default false. */
  readonly mayRepeat?: boolean;
}

export function judge({ traces }: History, { isExcused = () => false, mayRepeat = false }: Leniency = {}): Verdict {
  const all = [...traces].filter(([id]) => !isExcused(id));
  const idsOf = (is: (trace: Trace) => boolean): readonly string[] =>
    all.filter(([, trace]) => is(trace)).map(([id]) => id);
  return {
    lost: idsOf(({ isStored, isDone, isDead }) => isStored && !isDone && !isDead),
    ghosts: idsOf(({ wasTried }) => !wasTried),
    ackedTwice: mayRepeat ? [] : idsOf(({ acks }) => acks > 1),
    duplicates: all.reduce((sum, [, trace]) => sum + extraRuns(trace, mayRepeat), 0),
    stored: idsOf(({ isStored }) => isStored).length,
    done: idsOf(({ isDone }) => isDone).length,
    dead: idsOf(({ isDead }) => isDead),
  };
}

/** A retry is another attempt; a second start of the same one is a duplicate. */
function extraRuns({ events }: Trace, mayRepeat: boolean): number {
  const runs: number[] = [];
  for (const { e, retries = 0 } of events) if (e === "start") runs[retries] = (runs[retries] ?? 0) + 1;
  let sum = 0;
  for (const [attempt, count] of runs.entries()) {
    const copies = mayRepeat ? (runs[attempt - 1] ?? 1) : 1;
    sum += Math.max(0, (count ?? 0) - copies);
  }
  return sum;
}

/** How many messages a process had begun to run and was never told that their outcome is stored. */
export function unanswered({ traces }: History, pid: number): number {
  return [...traces.values()].filter(({ events }) => {
    const last = events.findLast((event) => event.pid === pid);
    return last?.e === "start" || last?.e === "done";
  }).length;
}

/**
 * Milliseconds from the death of a process until what it was running was started elsewhere, for each such message. One that too many died of is buried
 * instead.
 */
export function recoveryTimes(history: History, pid: number, diedAt: number): readonly number[] {
  const times: number[] = [];
  for (const { events, isDead } of history.traces.values()) {
    const last = events.findLastIndex((event) => event.pid === pid);
    if (isDead || events[last]?.e !== "start") continue;
    const next = events.slice(last).find((event) => event.e === "start" && event.pid !== pid);
    if (next === undefined) times.push(Infinity);
    // Before: its retry was stored and had begun, and the dead one was only about to say so.
    else if (next.at >= diedAt) times.push(next.at - diedAt);
  }
  return times;
}
