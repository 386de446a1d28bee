import type { Child } from "../child.ts";
import { costPerTask } from "../cost-per-task.ts";
import type { Field } from "../field.ts";
import type { Sample } from "../metrics.ts";
import type { Manner, SendCost, SendOrder } from "../sender/orders.ts";
import { warmUpOf, type Size, type Workload } from "../workload.ts";

/**
 * Sends tasks in one of the manners. Nobody works meanwhile.
 * @param argumentBytes of each task, as JSON
 */
export function enqueue(manner: Exclude<Manner, "paced">, size: Size, argumentBytes?: number): Workload {
  return {
    name: `enqueue, ${manner}`,
    size,
    warmUp: warmUpOf(size),
    isShared: true,
    async run({ field, peer, count, warmUp }) {
      const sender = await field.sender(peer);
      await sender.ask({ manner, count: warmUp, argumentBytes });
      const sample = await sendMeasured(field, sender, { manner, count, argumentBytes });
      await sender.close();
      return sample;
    },
  };
}

/** What one order costs a sender that is warm, and the server. */
export async function sendMeasured(
  field: Field,
  sender: Child<SendOrder, SendCost>,
  order: SendOrder,
): Promise<Sample> {
  const { count } = order;
  const before = await field.counters();
  const { ms, cpuMs } = await sender.ask(order);
  const after = await field.counters();
  return {
    perSecond: count / (ms / 1000),
    clientUs: (cpuMs * 1000) / count,
    ...costPerTask(before, after, count),
  };
}
