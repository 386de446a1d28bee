import type { FieldName } from "./field-name.ts";
import type { Machine } from "./machine.ts";
import type { MetricKey, Sample } from "./metrics.ts";
import type { Target } from "./targets.ts";

/** One run of one workload by one peer. */
export interface Measurement {
  readonly workload: string;
  readonly peer: string;
  readonly repeat: number;
  /** Tasks that were measured. */
  readonly count: number;
  readonly sample: Sample;
}

/** A peer as the reader is to know it. */
export interface PeerFacts {
  readonly name: string;
  readonly title: string;
  /** Of its packages. */
  readonly versions: Readonly<Record<string, string>>;
  readonly settings: Readonly<Record<string, unknown>>;
}

/** Everything that one run of the bench found out on one field: the JSON file. */
export interface Results {
  readonly field: FieldName;
  readonly date: string;
  readonly isQuick: boolean;
  readonly repeats: number;
  readonly machine: Machine;
  readonly peers: readonly PeerFacts[];
  readonly targets: readonly Target[];
  readonly measurements: readonly Measurement[];
}

/** Each once, in the order in which they were run. */
export function workloadsOf({ measurements }: Results): readonly string[] {
  return [...new Set(measurements.map(({ workload }) => workload))];
}

/** By repeat; empty when that was not measured. */
export function valuesOf(
  { measurements }: Results,
  { workload, peer, metric }: { readonly workload: string; readonly peer: string; readonly metric: MetricKey },
): ReadonlyMap<number, number> {
  const found = measurements.filter((measurement) => measurement.workload === workload && measurement.peer === peer);
  return new Map(
    found.flatMap(({ repeat, sample: { [metric]: value } }) => (value === undefined ? [] : [[repeat, value] as const])),
  );
}
