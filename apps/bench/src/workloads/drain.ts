import { costPerTask } from "../cost-per-task.ts";
import type { Size, Workload } from "../workload.ts";

/** One worker runs tasks that do nothing, all of them sent before it starts. */
export function drain(concurrency: number, size: Size): Workload {
  return {
    name: `drain, concurrency ${concurrency}`,
    size,
    warmUp: { quick: size.quick / 4, full: size.full / 10 },
    isShared: true,
    async run({ field, peer, count, warmUp }) {
      const sender = await field.sender(peer);
      await sender.ask({ manner: "bulk", count: warmUp + count });
      await sender.close();
      const before = await field.counters();
      const runner = await field.runner(peer, { concurrency, warmUp, count, measuresAge: false });
      const { ms, cpuMs, residentBytes } = await runner.ask("report");
      await runner.close();
      // With the start and the end of the worker, so that no outcome is left out that was still on its way.
      const after = await field.counters();
      return {
        perSecond: count / (ms / 1000),
        clientUs: (cpuMs * 1000) / count,
        workerMb: residentBytes / 1e6,
        ...costPerTask(before, after, warmUp + count),
      };
    },
  };
}
