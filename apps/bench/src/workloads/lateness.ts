import { nowUs } from "../payload.ts";
import type { Size, Workload } from "../workload.ts";
import { concurrency, latencies, timingWarmUp, warm } from "./timing.ts";

/** From the first send until the first task is due. Milliseconds. */
const shortestLeadMs = 1000;
/** The slowest library has sent all of them by then. Milliseconds for each. */
const sendMs = 0.1;

/**
 * How long tasks take from the moment at which they are due to the start of their handler, and how many are run in a second.
 * @param perSecond so many fall due
 */
export function lateness(name: string, perSecond: number, size: Size): Workload {
  return {
    name,
    size,
    warmUp: timingWarmUp(size),
    isShared: false,
    needsDelays: true,
    async run({ field, peer, count, warmUp }) {
      const runner = await field.runner(peer, { concurrency, warmUp, count, measuresAge: true });
      const sender = await field.sender(peer);
      await warm(sender, runner, warmUp);
      const firstUs = nowUs() + (shortestLeadMs + count * sendMs) * 1000;
      await sender.ask({ manner: "delayed", count, due: { firstUs, perSecond } });
      const { agesUs, lastAtUs } = await runner.ask("report");
      await sender.close();
      await runner.close();
      return { perSecond: count / ((lastAtUs - firstUs) / 1e6), ...latencies(agesUs) };
    },
  };
}
