import type { BenchArguments } from "./bench-arguments.ts";
import type { Workload } from "./workload.ts";

interface Choice {
  readonly chosen: readonly Workload[];
  /** What only a full run has. */
  readonly left: readonly Workload[];
}

/** The ones that are asked for by name, or all that a run of this kind has. */
export function chooseWorkloads(
  all: readonly Workload[],
  { isQuick, workloads: parts }: Pick<BenchArguments, "isQuick" | "workloads">,
): Choice {
  if (parts.length > 0)
    return { chosen: all.filter(({ name }) => parts.some((part) => name.includes(part))), left: [] };
  const isLeft = ({ isForFullRuns }: Workload): boolean => isQuick && isForFullRuns === true;
  return { chosen: all.filter((one) => !isLeft(one)), left: all.filter(isLeft) };
}
