import type { Workload } from "../workload.ts";

/** What the server's memory grows by, with nobody connected before and after. */
export const pendingMemory: Workload = {
  name: "pending tasks",
  size: { quick: 20_000, full: 100_000 },
  // Scripts and the like are there by then, and stay.
  warmUp: { quick: 100, full: 100 },
  isShared: true,
  async run({ field, peer, count, warmUp }) {
    const usedBytesAfter = async (tasks: number): Promise<number> => {
      await field.clear();
      const sender = await field.sender(peer);
      await sender.ask({ manner: "bulk", count: tasks });
      await sender.close();
      const { usedBytes } = await field.counters();
      if (usedBytes === undefined) throw new Error("the server does not tell its memory");
      return usedBytes;
    };
    const before = await usedBytesAfter(warmUp);
    const after = await usedBytesAfter(warmUp + count);
    return { bytes: (after - before) / count };
  },
};
