import { nowUs } from "../payload.ts";
import type { Workload } from "../workload.ts";

/** From the start of a worker's process to that of its first task, which waits for it: of the command that there is, or of a program. */
export const workerStart: Workload = {
  name: "start of a worker",
  size: { quick: 1, full: 1 },
  warmUp: { quick: 0, full: 0 },
  isShared: false,
  async run({ field, peer, count, warmUp }) {
    const sender = await field.sender(peer);
    await sender.ask({ manner: "one by one", count: warmUp + count });
    await sender.close();
    const command = await field.commandWorker(peer);
    if (command !== undefined) {
      const startMs = await command.msToFirstTask();
      await command.stop();
      return { startMs };
    }
    const startedAtUs = nowUs();
    const runner = await field.runner(peer, { concurrency: 10, warmUp, count, measuresAge: false });
    // A worker may begin to work before it says that it is ready.
    const { lastAtUs } = await runner.ask("report");
    await runner.close();
    return { startMs: (lastAtUs - startedAtUs) / 1000 };
  },
};
