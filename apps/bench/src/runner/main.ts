// A worker in a process of its own: connects, and counts what it runs.
import { serve } from "../child-side.ts";
import { CpuClock } from "../cpu-clock.ts";
import { ageUs, nowUs, type Payload } from "../payload.ts";
import { loadPeer } from "../peers.ts";
import type { RunnerSetup, RunOrder, RunReport } from "./orders.ts";

await serve(async ({ field, peer, place, concurrency, warmUp, count, measuresAge, leavesRest }: RunnerSetup) => {
  const agesUs: number[] = [];
  let clock = new CpuClock();
  let started = 0;
  let warm: (report: RunReport) => void;
  let finish: (report: RunReport) => void;
  const answers: Readonly<Record<RunOrder, Promise<RunReport>>> = {
    warm: new Promise((resolve) => (warm = resolve)),
    report: new Promise((resolve) => (finish = resolve)),
  };
  const report = (): RunReport => ({
    ...clock.read(),
    lastAtUs: nowUs(),
    agesUs,
    residentBytes: process.memoryUsage.rss(),
  });
  const onTask = (payload: Payload): void => {
    started += 1;
    if (started <= warmUp) {
      if (started < warmUp) return;
      warm(report());
      clock = new CpuClock();
      return;
    }
    if (measuresAge) agesUs.push(ageUs(payload));
    if (started === warmUp + count) finish(report());
  };
  const runner = await (
    await loadPeer(field, peer)
  ).openRunner(place, {
    concurrency,
    readsPayload: measuresAge,
    onTask,
  });
  return {
    answer: (order: RunOrder): Promise<RunReport> => answers[order],
    close: async () => {
      await runner.stop();
      // A task that ran twice, or that nobody sent, is not a fast one.
      const isRight = leavesRest === true ? started >= warmUp + count : started === warmUp + count;
      if (!isRight) throw new Error(`${peer} ran ${started} tasks, and ${warmUp + count} were sent`);
    },
  };
});
