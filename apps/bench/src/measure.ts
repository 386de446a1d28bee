import type { BenchArguments } from "./bench-arguments.ts";
import type { Field } from "./field.ts";
import { loadPeer } from "./peers.ts";
import type { Measurement } from "./results.ts";
import type { Workload } from "./workload.ts";

export interface Plan extends Pick<BenchArguments, "isQuick" | "repeats" | "tasks"> {
  /** Names of those that take part. */
  readonly peers: readonly string[];
  readonly workloads: readonly Workload[];
  /** Told of each step before it is taken. */
  readonly onStep: (what: string) => void;
}

/**
 * Every peer through every workload, again and again: within a repeat all peers do the same thing one right after the other, and each
 * time another one begins, so that a machine that is busy for a while is so for all of them.
 */
export async function measure(field: Field, plan: Plan): Promise<readonly Measurement[]> {
  const { isQuick, repeats, workloads, peers, tasks, onStep } = plan;
  const measurements: Measurement[] = [];
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    for (const workload of workloads) {
      for (const peer of rotated(peers, repeat)) {
        const { share, hasDelays } = await loadPeer(field.name, peer);
        if (workload.needsDelays === true && !hasDelays) continue;
        onStep(`${repeat + 1} of ${repeats}: ${workload.name}, ${peer}`);
        const part = workload.isShared ? share : 1;
        const sized = ({ quick, full }: Workload["size"]): number =>
          Math.ceil(Math.min(isQuick ? quick : full, tasks) * part);
        const count = sized(workload.size);
        await field.clear();
        const sample = await workload.run({ field, peer, count, warmUp: sized(workload.warmUp) });
        measurements.push({ workload: workload.name, peer, repeat, count, sample });
      }
    }
  }
  return measurements;
}

export function rotated<T>(items: readonly T[], by: number): readonly T[] {
  const at = items.length === 0 ? 0 : by % items.length;
  return [...items.slice(at), ...items.slice(0, at)];
}
