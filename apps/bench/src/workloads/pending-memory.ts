import { costPerTask } from "../cost-per-task.ts";
import type { Workload } from "../workload.ts";

/** What the server's memory grows by, with nobody connected before and after. */
export const pendingMemory: Workload = {
  name: "pending tasks",
  size: { quick: 20_000, full: 100_000 },
  // Scripts and the like are there by then, and stay.
  warmUp: { quick: 100, full: 100 },
  isShared: true,
  async run({ field, peer, count, warmUp }) {
    const send = async (tasks: number) => {
      await field.clear();
      const begun = await field.counters();
      const sender = await field.sender(peer);
      await sender.ask({ manner: "bulk", count: tasks });
      await sender.close();
      const ended = await field.counters();
      if (ended.usedBytes === undefined) throw new Error("the server does not tell its memory");
      return { usedBytes: ended.usedBytes, cost: costPerTask(begun, ended, tasks) };
    };
    const few = await send(warmUp);
    const many = await send(warmUp + count);
    return { bytes: (many.usedBytes - few.usedBytes) / count, ...many.cost };
  },
};

/** The same on a Redis that compresses all of a list but its ends, as one may want where very many wait. */
export const compressedMemory: Workload = {
  ...pendingMemory,
  name: "pending tasks, list-compress-depth 1",
  async run(scope) {
    const restore = await scope.field.configure({ "list-compress-depth": "1" });
    try {
      return await pendingMemory.run(scope);
    } finally {
      await restore();
    }
  },
};
