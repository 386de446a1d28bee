import type { FieldName } from "../field-name.ts";
import type { AnyPlace } from "../peer.ts";

/** Whose worker a process is, and where. */
export interface RunnerSetup {
  readonly field: FieldName;
  readonly peer: string;
  readonly place: AnyPlace;
  readonly concurrency: number;
  /** Tasks that it runs before it begins to measure, and those that it measures. There are no others in the queue, but see `leavesRest`. */
  readonly warmUp: number;
  readonly count: number;
  /** Whether to note how old each measured task is; they were sent paced, which says when. */
  readonly measuresAge: boolean;
  /** Whether there are more, which it leaves there as far as it is stopped in time. Default: false. */
  readonly leavesRest?: boolean;
}

/** `warm` is answered when those have run that come before, and `report` when all have. */
export type RunOrder = "warm" | "report";

/** Of the tasks that come before, or of those that are measured. */
export interface RunReport {
  /** From the start of the first one to that of the last. */
  readonly ms: number;
  /** When the last one started. Microseconds of `nowUs`. */
  readonly lastAtUs: number;
  readonly cpuMs: number;
  /** How old each measured task was when it started. Microseconds. */
  readonly agesUs: readonly number[];
  /** Resident memory of the process. Bytes. */
  readonly residentBytes: number;
}
