import { setTimeout as pause } from "node:timers/promises";
import { costPerTask } from "../cost-per-task.ts";
import { withCrew } from "../with-crew.ts";
import type { Workload } from "../workload.ts";

const options = { workers: 1, concurrency: 10, taskMs: 0, recordsPerWrite: 1 };
/** By then a worker has done what it does at its start. */
const settlesWithinMs = 2000;

/** What a worker costs that has nothing to do. Its size is in seconds; what it does every few of them is to be seen. */
export const restingWorker: Workload = {
  name: "worker at rest",
  size: { quick: 5, full: 10 },
  warmUp: { quick: 0, full: 0 },
  isShared: false,
  async run({ field, peer, count: seconds }) {
    return await withCrew({ field, peer }, options, async ([member]) => {
      if (member === undefined) throw new Error("expected a worker");
      const { worker } = member;
      await worker.ask("work");
      await pause(settlesWithinMs);
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
