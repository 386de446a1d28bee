import type { Child } from "../child.ts";
import type { Sample } from "../metrics.ts";
import type { RunOrder, RunReport } from "../runner/orders.ts";
import type { Manner, SendCost, SendOrder } from "../sender/orders.ts";
import { quantile } from "../statistics.ts";
import type { Size, Workload } from "../workload.ts";

export const concurrency = 10;

/** How long tasks take from the moment at which they are sent to the start of their handler, in another process; and what that takes by then. */
export function timing(name: string, manner: Extract<Manner, "paced" | "steady">, size: Size): Workload {
  return {
    name,
    size,
    warmUp: timingWarmUp(size),
    isShared: false,
    async run({ field, peer, count, warmUp }) {
      const runner = await field.runner(peer, { concurrency, warmUp, count, measuresAge: true });
      const sender = await field.sender(peer);
      await warm(sender, runner, warmUp);
      await sender.ask({ manner, count });
      const { agesUs, residentBytes } = await runner.ask("report");
      await sender.close();
      await runner.close();
      // Unlike in a drain, every peer's worker has run the same tasks by then.
      return { ...latencies(agesUs), workerMb: residentBytes / 1e6 };
    },
  };
}

/** One each millisecond. */
export function timingWarmUp({ quick }: Size): Size {
  return { quick: quick / 3, full: 5000 };
}

/** Until the worker has run them all: a slow one is behind by then. */
export async function warm(
  sender: Child<SendOrder, SendCost>,
  runner: Child<RunOrder, RunReport>,
  warmUp: number,
): Promise<void> {
  await sender.ask({ manner: "steady", count: warmUp });
  await runner.ask("warm");
}

export function latencies(agesUs: readonly number[]): Sample {
  return {
    p50Us: quantile(agesUs, 0.5),
    p95Us: quantile(agesUs, 0.95),
    p99Us: quantile(agesUs, 0.99),
    p999Us: quantile(agesUs, 0.999),
  };
}
