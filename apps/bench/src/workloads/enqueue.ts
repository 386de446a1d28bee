import { costPerTask } from "../cost-per-task.ts";
import type { Manner } from "../sender/orders.ts";
import type { Size, Workload } from "../workload.ts";

/** Sends tasks in one of the manners. Nobody works meanwhile. */
export function enqueue(manner: Exclude<Manner, "paced">, size: Size): Workload {
  return {
    name: `enqueue, ${manner}`,
    size,
    warmUp: { quick: size.quick / 4, full: size.full / 10 },
    isShared: true,
    async run({ field, peer, count, warmUp }) {
      const sender = await field.sender(peer);
      await sender.ask({ manner, count: warmUp });
      const before = await field.counters();
      const { ms, cpuMs } = await sender.ask({ manner, count });
      const after = await field.counters();
      await sender.close();
      return {
        perSecond: count / (ms / 1000),
        clientUs: (cpuMs * 1000) / count,
        ...costPerTask(before, after, count),
      };
    },
  };
}
