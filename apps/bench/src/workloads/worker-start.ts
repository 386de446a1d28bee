import type { Workload } from "../workload.ts";

/** From the start of a worker's process to that of its first task, which waits for it. */
export const workerStart: Workload = {
  name: "start of a worker",
  size: { quick: 1, full: 1 },
  warmUp: { quick: 0, full: 0 },
  isShared: false,
  async run({ field, peer, count, warmUp }) {
    const sender = await field.sender(peer);
    await sender.ask({ manner: "one by one", count: warmUp + count });
    await sender.close();
    const startedAt = performance.now();
    const runner = await field.runner(peer, { concurrency: 10, warmUp, count, measuresAge: false });
    await runner.ask("report");
    const startMs = performance.now() - startedAt;
    await runner.close();
    return { startMs };
  },
};
