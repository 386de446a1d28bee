import type { FieldName } from "../field-name.ts";
import type { AnyPlace } from "../peer.ts";

/** Whose producer a process is, and where. The first message that it gets. */
export interface SenderSetup {
  readonly field: FieldName;
  readonly peer: string;
  readonly place: AnyPlace;
}

/**
 * How tasks are sent: each awaited before the next; 100 awaited at a time; by the peer's own way for many; one every few milliseconds;
 * 1,000 a second, whether those before have an answer or not; 100 awaited at a time, to be run later.
 */
export type Manner = "one by one" | "100 in flight" | "bulk" | "paced" | "steady" | "delayed";

/** What it is to send. Every further message. */
export interface SendOrder {
  readonly manner: Manner;
  readonly count: number;
  /** Of each task, as JSON. Default 100. */
  readonly argumentBytes?: number | undefined;
  /** When to run what is sent delayed. */
  readonly due?: Due | undefined;
}

/** One after the other. */
export interface Due {
  /** Microseconds of `nowUs`. */
  readonly firstUs: number;
  readonly perSecond: number;
}

/** What that took of its own process. */
export interface SendCost {
  readonly ms: number;
  readonly cpuMs: number;
}
