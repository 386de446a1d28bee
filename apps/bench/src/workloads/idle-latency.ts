import { quantile } from "../statistics.ts";
import type { Workload } from "../workload.ts";

/** From before the send to the start of the handler, in another process, that has had nothing to do for some milliseconds. */
export const idleLatency: Workload = {
  name: "latency of an idle worker",
  size: { quick: 150, full: 1000 },
  warmUp: { quick: 50, full: 200 },
  isShared: false,
  async run({ field, peer, count, warmUp }) {
    const runner = await field.runner(peer, { concurrency: 10, warmUp, count, measuresAge: true });
    const sender = await field.sender(peer);
    await sender.ask({ manner: "paced", count: warmUp + count });
    const { agesUs } = await runner.ask("report");
    await sender.close();
    await runner.close();
    return { p50Us: quantile(agesUs, 0.5), p99Us: quantile(agesUs, 0.99) };
  },
};
