import { setTimeout as pause } from "node:timers/promises";
import { costPerTask } from "../cost-per-task.ts";
import { withCrew } from "../with-crew.ts";
import type { Workload } from "../workload.ts";

const options = { workers: 1, concurrency: 10, taskMs: 0, recordsPerWrite: 1 };

/**
 * What a worker costs that has nothing to do. Its size is in seconds; what it does every few of them is to be seen. The first ones are left out: V8
 * tidies up eight seconds after a start.
 */
export const restingWorker: Workload = {
  name: "worker at rest",
  size: { quick: 5, full: 10 },
  warmUp: { quick: 2, full: 12 },
  isShared: false,
  async run({ field, peer, count: seconds, warmUp: secondsBefore }) {
    return await withCrew({ field, peer }, options, async ([member]) => {
      if (member === undefined) throw new Error("expected a worker");
      const { worker } = member;
      await worker.ask("work");
      await pause(secondsBefore * 1000);
      const [before, atFirst] = [await field.counters(), await worker.ask("report")];
      await pause(seconds * 1000);
      const [after, atLast] = [await field.counters(), await worker.ask("report")];
      await worker.close();
      const { serverUs, commands } = costPerTask(before, after, seconds);
      return {
        idleClientMs: (atLast.cpuMs - atFirst.cpuMs) / seconds,
        ...(serverUs === undefined ? {} : { idleServerMs: serverUs / 1000 }),
        ...(commands === undefined ? {} : { idleCommands: commands }),
      };
    });
  },
};
