import type { Field } from "./field.ts";
import type { Sample } from "./metrics.ts";

/** How many tasks a workload has, before a peer gets its share of them. */
export interface Size {
  readonly quick: number;
  readonly full: number;
}

export interface Scope {
  readonly field: Field;
  /** Name of the peer, as the processes know it. */
  readonly peer: string;
  readonly count: number;
  /** Tasks that come before those that are measured, so that the engine has compiled what they need. */
  readonly warmUp: number;
  /** Tasks that wait all the while, beside those. */
  readonly pending: number;
}

/** A process that has just begun interprets its code, and V8 goes on compiling for hundreds of thousands of tasks. A quick run has no time for that. */
export function warmUpOf({ quick, full }: Size): Size {
  return { quick: quick / 4, full: full * 3 };
}

/** Something to do, that every peer can, or the peers that it names. */
export interface Workload {
  readonly name: string;
  readonly size: Size;
  /** What of the size comes before, unmeasured. */
  readonly warmUp: Size;
  /** Whether slower peers get their share of it only. */
  readonly isShared: boolean;
  /** Only for peers that can delay a task. Default: for all. */
  readonly needsDelays?: boolean;
  /** What waits all the while; no peer gets a share of it only. Default: nothing. */
  readonly pending?: Size;
  /** Names of those that take part, where they are. Default: all. */
  readonly peers?: readonly string[];
  /** Repeats that are enough, however many the others get. Default: as many as they. */
  readonly mostRepeats?: number;
  /** Whether a quick run leaves it out, unless it is asked for by name. Default: false. */
  readonly isForFullRuns?: boolean;
  /** Begins on an empty server. */
  run(scope: Scope): Promise<Sample>;
}
