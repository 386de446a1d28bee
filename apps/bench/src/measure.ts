import type { BenchArguments } from "./bench-arguments.ts";
import type { Field } from "./field.ts";
import { loadAnyPeer } from "./peers.ts";
import type { Measurement } from "./results.ts";
import type { Size, Workload } from "./workload.ts";

const nothing: Size = { quick: 0, full: 0 };

export interface Plan extends Pick<BenchArguments, "isQuick" | "repeats" | "tasks"> {
  /** Names of those that take part. */
  readonly peers: readonly string[];
  readonly workloads: readonly Workload[];
  /** Told of each step before it is taken. */
  readonly onStep: (what: string) => void;
}

/** One run of one workload by one peer. */
interface Step {
  readonly repeat: number;
  readonly workload: Workload;
  readonly peer: string;
}

/** Every step of the plan, one after the other. */
export async function measure(field: Field, plan: Plan): Promise<readonly Measurement[]> {
  const { isQuick, repeats, tasks, onStep } = plan;
  const measurements: Measurement[] = [];
  for (const { repeat, workload, peer } of stepsOf(plan)) {
    const { share, hasDelays, takesPartIn = [""], leavesOut = [] } = await loadAnyPeer(field.name, peer);
    if (workload.needsDelays === true && !hasDelays) continue;
    const isIn = (part: string): boolean => workload.name.includes(part);
    if (!takesPartIn.some(isIn) || leavesOut.some(isIn)) continue;
    onStep(`${repeat + 1} of ${repeats}: ${workload.name}, ${peer}`);
    const sized = ({ quick, full }: Size, part: number): number =>
      Math.ceil(Math.min(isQuick ? quick : full, tasks) * part);
    const part = workload.isShared ? share : 1;
    const count = sized(workload.size, part);
    const warmUp = sized(workload.warmUp, part);
    const pending = sized(workload.pending ?? nothing, 1);
    await field.clear();
    const sample = await workload.run({ field, peer, count, warmUp, pending });
    measurements.push({ workload: workload.name, peer, repeat, count, sample });
  }
  return measurements;
}

/**
 * Every peer through every workload, again and again: within a repeat all peers do the same thing one right after the other, and each
 * time another one begins, so that a machine that is busy for a while is so for all of them.
 */
export function stepsOf({ repeats, workloads, peers }: Pick<Plan, "repeats" | "workloads" | "peers">): readonly Step[] {
  return Array.from({ length: repeats }, (_, repeat) => repeat).flatMap((repeat) =>
    workloads
      .filter(({ mostRepeats }) => repeat < (mostRepeats ?? Infinity))
      .flatMap((workload) =>
        rotated(peers, repeat)
          .filter((peer) => workload.peers?.includes(peer) ?? true)
          .map((peer) => ({ repeat, workload, peer })),
      ),
  );
}

function rotated<T>(items: readonly T[], by: number): readonly T[] {
  const at = items.length === 0 ? 0 : by % items.length;
  return [...items.slice(at), ...items.slice(0, at)];
}
