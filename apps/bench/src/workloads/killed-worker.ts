import { setTimeout as pause } from "node:timers/promises";
import { aftermath, endedIn } from "../aftermath.ts";
import { nowUs } from "../payload.ts";
import { withCrew } from "../with-crew.ts";
import type { Workload } from "../workload.ts";

/** Tasks long enough for a worker to have some in hand whenever it is killed. */
const options = { workers: 2, concurrency: 10, taskMs: 20, recordsPerWrite: 1 };
const looksEveryMs = 20;
/** What the worker has begun by then, of all tasks. */
const killedAfter = 1 / 6;
/** The slowest peer looks for lost workers every 30 seconds, and needs to look twice. */
const recoversWithinMs = 90_000;
/** Tasks that had ended and run again do so at about the same time as the others. */
const quietMs = 1000;

/** Two workers run tasks; one is killed in the middle of some of them, and the other has to go on with those too. */
export const killedWorker: Workload = {
  name: "killed worker",
  size: { quick: 600, full: 600 },
  warmUp: { quick: 0, full: 0 },
  isShared: false,
  async run({ field, peer, count: tasks }) {
    const sender = await field.sender(peer);
    await sender.ask({ manner: "bulk", count: tasks });
    await sender.close();
    return await withCrew({ field, peer }, options, async ([victim, other]) => {
      if (victim === undefined || other === undefined) throw new Error("expected two workers");
      await victim.worker.ask("work");
      await other.worker.ask("work");
      await until(async () => (await victim.worker.ask("report")).begun >= tasks * killedAfter);
      const killedAtUs = nowUs();
      await victim.worker.kill();
      const killed = victim.log();
      await until(async () => endedIn(killed, other.log()) >= tasks);
      await pause(quietMs);
      await other.worker.close();
      return aftermath({ killed, other: other.log(), killedAtUs, tasks });
    });
  },
};

/** Also resolves when it takes too long: what is missing then is a figure, and no error. */
async function until(check: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + recoversWithinMs;
  while (!(await check()) && performance.now() < deadline) await pause(looksEveryMs);
}
