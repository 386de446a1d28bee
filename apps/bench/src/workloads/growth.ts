import { costPerTask } from "../cost-per-task.ts";
import type { Field } from "../field.ts";
import { levelName } from "../growth-level.ts";
import type { Size, Workload } from "../workload.ts";
import { runSample } from "./drain.ts";
import { sendMeasured } from "./enqueue.ts";

const manner = "100 in flight";
const concurrency = 100;
const fillers = 2;

/** What a send costs when so many tasks wait: no more than when few do, if a queue is to be of use in a bad hour. */
export function growthOfSends(pending: number, size: Size): Workload {
  return {
    ...sizesOf(pending, size),
    name: levelName("enqueue", pending),
    async run({ field, peer, count, warmUp, pending: waiting }) {
      const sender = await field.sender(peer);
      await sender.ask({ manner, count: warmUp });
      const runner = await field.runner(peer, { concurrency, warmUp: 0, count: warmUp, measuresAge: false });
      await runner.ask("report");
      await runner.close();
      // By itself: V8 forgets what it has compiled for a sender that stands still while others send millions.
      await sender.ask({ manner, count: waiting });
      const sample = await sendMeasured(field, sender, { manner, count });
      await sender.close();
      return sample;
    },
  };
}

/** What a run costs when so many tasks wait behind it. */
export function growthOfRuns(pending: number, size: Size): Workload {
  return {
    ...sizesOf(pending, size),
    name: levelName("drain", pending),
    async run({ field, peer, count, warmUp, pending: waiting }) {
      await fill(field, peer, warmUp + count + waiting);
      const before = await field.counters();
      const runner = await field.runner(peer, { concurrency, warmUp, count, measuresAge: false, leavesRest: true });
      const report = await runner.ask("report");
      // Not when it has stopped: until then it goes on with what waits.
      const after = await field.counters();
      await runner.close();
      return { ...runSample(report, count), ...costPerTask(before, after, warmUp + count) };
    },
  };
}

function sizesOf(pending: number, size: Size): Pick<Workload, "size" | "warmUp" | "pending" | "isShared"> {
  return {
    size,
    // The same for every level, so that none of them has code that is better compiled.
    warmUp: { quick: size.quick / 2, full: size.full * 5 },
    pending: { quick: pending, full: pending },
    isShared: false,
  };
}

/** By several at once, because it takes long. */
async function fill(field: Field, peer: string, count: number): Promise<void> {
  const share = Math.ceil(count / fillers);
  const sendShare = async (_: unknown, index: number): Promise<void> => {
    const sender = await field.sender(peer);
    await sender.ask({ manner: "bulk", count: Math.max(0, Math.min(share, count - index * share)) });
    await sender.close();
  };
  await Promise.all(Array.from({ length: fillers }, sendShare));
}
