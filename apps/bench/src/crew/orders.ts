import type { FieldName } from "../field-name.ts";
import type { AnyPlace } from "../peer.ts";

/** Whose worker a process is, and where. It is ready then, and works when it is told to. */
export interface CrewSetup {
  readonly field: FieldName;
  readonly peer: string;
  readonly place: AnyPlace;
  readonly concurrency: number;
  /** How long a task takes, in which its process waits. Milliseconds; 0 ends it at once, and no end is logged. */
  readonly taskMs: number;
  /** Where a `WorkLog` is written; see there. */
  readonly log: { readonly file: string; readonly recordsPerWrite: number };
}

/** Whether to start with work, which is answered when it has; or only what it has used so far. */
export type CrewOrder = "work" | "report";

export interface CrewReport {
  /** Tasks that have begun in this process. */
  readonly begun: number;
  /** Since its first task began, or since it was set up while there is none. */
  readonly cpuMs: number;
}
