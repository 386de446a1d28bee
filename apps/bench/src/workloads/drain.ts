import { costPerTask } from "../cost-per-task.ts";
import type { Sample } from "../metrics.ts";
import type { RunReport } from "../runner/orders.ts";
import { warmUpOf, type Size, type Workload } from "../workload.ts";

/**
 * One worker runs tasks that do nothing, all of them sent before it starts.
 * @param argumentBytes of each task, as JSON
 */
export function drain(concurrency: number, size: Size, argumentBytes?: number): Workload {
  return {
    name: `drain, concurrency ${concurrency}`,
    size,
    warmUp: warmUpOf(size),
    isShared: true,
    async run({ field, peer, count, warmUp }) {
      const sender = await field.sender(peer);
      await sender.ask({ manner: "bulk", count: warmUp + count, argumentBytes });
      await sender.close();
      const before = await field.counters();
      const runner = await field.runner(peer, { concurrency, warmUp, count, measuresAge: false });
      const report = await runner.ask("report");
      await runner.close();
      // With the start and the end of the worker, so that no outcome is left out that was still on its way.
      const after = await field.counters();
      return { ...runSample(report, count), ...costPerTask(before, after, warmUp + count) };
    },
  };
}

/** What the worker itself measured. */
export function runSample({ ms, cpuMs, residentBytes }: RunReport, count: number): Sample {
  return {
    perSecond: count / (ms / 1000),
    clientUs: (cpuMs * 1000) / count,
    workerMb: residentBytes / 1e6,
  };
}
