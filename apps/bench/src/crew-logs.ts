import type { WorkRecord } from "./work-log.ts";

/** What several workers of a queue did together while all of them were at work. */
interface Teamwork {
  readonly tasks: number;
  readonly ms: number;
}

/**
 * From when the last of them began its first task, and so many tasks had begun, to the start of the last task. A worker without tasks
 * does not count.
 * @param logs one for each worker
 */
export function teamwork(logs: readonly (readonly WorkRecord[])[], warmUp: number): Teamwork {
  const starts = logs.map((log) => begun(log).map(({ atUs }) => atUs)).filter((times) => times.length > 0);
  const all = starts.flat().toSorted((one, other) => one - other);
  const fromUs = Math.max(all[warmUp] ?? 0, ...starts.map(([first = 0]) => first));
  return { tasks: all.filter((atUs) => atUs > fromUs).length, ms: ((all.at(-1) ?? fromUs) - fromUs) / 1000 };
}

/** @throws Error unless each of so many tasks has begun, and once */
export function checkEachOnce(logs: readonly (readonly WorkRecord[])[], tasks: number): void {
  const ids = logs.flatMap((log) => begun(log).map(({ id }) => id));
  const different = new Set(ids).size;
  if (ids.length !== tasks || different !== tasks)
    throw new Error(`expected ${tasks} tasks to run once each, got ${ids.length} starts of ${different} tasks`);
}

function begun(log: readonly WorkRecord[]): readonly WorkRecord[] {
  return log.filter(({ what }) => what === "begun");
}
