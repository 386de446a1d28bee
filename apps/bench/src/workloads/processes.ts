import { setTimeout as pause } from "node:timers/promises";
import { costPerTask } from "../cost-per-task.ts";
import { checkEachOnce, teamwork } from "../crew-logs.ts";
import { withCrew, type CrewMember } from "../with-crew.ts";
import { warmUpOf, type Size, type Workload } from "../workload.ts";

/** Several processes need fewer slots each: it is the middle one of those that a single process is measured with. */
const concurrency = 10;
const recordsPerWrite = 4096;
const looksEveryMs = 20;
/** Longest wait for all tasks. The slowest peer needs a small part of it. */
const doneWithinMs = 120_000;

/** Several workers, each a process of its own, run tasks that do nothing, all of them sent before. */
export function processes(workers: number, size: Size): Workload {
  return {
    name: `worker processes: drain by ${workers}`,
    size,
    warmUp: warmUpOf(size),
    isShared: true,
    async run({ field, peer, count, warmUp }) {
      const tasks = warmUp + count;
      const sender = await field.sender(peer);
      await sender.ask({ manner: "bulk", count: tasks });
      await sender.close();
      const options = { workers, concurrency, taskMs: 0, recordsPerWrite };
      return await withCrew({ field, peer }, options, async (crew) => {
        const before = await field.counters();
        // All at once: one that is ready first would have run many before the others begin.
        await Promise.all(crew.map(({ worker }) => worker.ask("work")));
        const cpuMs = await runAll(crew, tasks);
        await Promise.all(crew.map(({ worker }) => worker.close()));
        const after = await field.counters();
        const logs = crew.map((member) => member.log());
        checkEachOnce(logs, tasks);
        const together = teamwork(logs, warmUp);
        return {
          // With very few tasks, the last worker to begin one may have the last one.
          ...(together.ms > 0 ? { perSecond: together.tasks / (together.ms / 1000) } : {}),
          clientUs: (cpuMs * 1000) / tasks,
          ...costPerTask(before, after, tasks),
        };
      });
    },
  };
}

/** Resolves with the CPU of all workers, when all tasks have begun. Milliseconds. @throws Error when that takes too long */
async function runAll(crew: readonly CrewMember[], tasks: number): Promise<number> {
  const deadline = performance.now() + doneWithinMs;
  for (;;) {
    const reports = await Promise.all(crew.map(({ worker }) => worker.ask("report")));
    const begun = reports.reduce((sum, report) => sum + report.begun, 0);
    if (begun >= tasks) return reports.reduce((sum, report) => sum + report.cpuMs, 0);
    if (performance.now() > deadline) throw new Error(`${begun} of ${tasks} tasks have run within ${doneWithinMs} ms`);
    await pause(looksEveryMs);
  }
}
