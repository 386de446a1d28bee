import type { Manner } from "../sender/orders.ts";
import { quantile } from "../statistics.ts";
import type { Size, Workload } from "../workload.ts";

/** Of them, one each millisecond. */
const fullWarmUp = 5000;

/** How long tasks take from the moment at which they could start to the start of their handler, in another process. */
export function timing(name: string, manner: Manner, size: Size): Workload {
  return {
    name,
    size,
    warmUp: { quick: size.quick / 3, full: fullWarmUp },
    isShared: false,
    needsDelays: manner === "delayed",
    async run({ field, peer, count, warmUp }) {
      const runner = await field.runner(peer, { concurrency: 10, warmUp, count, measuresAge: true });
      const sender = await field.sender(peer);
      await sender.ask({ manner: "steady", count: warmUp });
      // Not before: a slow peer is behind by then.
      await runner.ask("warm");
      await sender.ask({ manner, count });
      const { agesUs } = await runner.ask("report");
      await sender.close();
      await runner.close();
      return {
        p50Us: quantile(agesUs, 0.5),
        p95Us: quantile(agesUs, 0.95),
        p99Us: quantile(agesUs, 0.99),
        p999Us: quantile(agesUs, 0.999),
      };
    },
  };
}
