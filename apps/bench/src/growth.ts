import { growthLevels, growthName, levelName, whats } from "./growth-level.ts";
import type { Measurement } from "./results.ts";

const [lowest, ...higher] = growthLevels;

/** The CPU of a task, client and server together, by what it is when few wait; by peer and repeat, where both were measured. */
export function growthOf(measurements: readonly Measurement[]): readonly Measurement[] {
  return whats.flatMap((what) => {
    const costs = (pending: number): readonly Measurement[] =>
      measurements.filter(({ workload }) => workload === levelName(what, pending));
    const few = costs(lowest);
    return higher.flatMap((pending) =>
      costs(pending).flatMap((many) => {
        const base = few.find(({ peer, repeat }) => peer === many.peer && repeat === many.repeat);
        if (base === undefined) return [];
        return [{ ...many, workload: growthName(what, pending), sample: { growth: cpuOf(many) / cpuOf(base) } }];
      }),
    );
  });
}

function cpuOf({ sample: { clientUs, serverUs } }: Measurement): number {
  return (clientUs ?? 0) + (serverUs ?? 0);
}
