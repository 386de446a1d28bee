// One of several workers of a queue, in a process of its own: none of them knows how many tasks it will get, so it writes down which.
import { setTimeout as pause } from "node:timers/promises";
import { serve } from "../child-side.ts";
import { CpuClock } from "../cpu-clock.ts";
import type { Runner } from "../peer.ts";
import { loadPeer } from "../peers.ts";
import { WorkLog } from "../work-log.ts";
import type { CrewOrder, CrewReport, CrewSetup } from "./orders.ts";

await serve(async ({ field, peer: name, place, concurrency, taskMs, log: { file, recordsPerWrite } }: CrewSetup) => {
  const peer = await loadPeer(field, name);
  const log = new WorkLog(file, recordsPerWrite);
  let clock = new CpuClock();
  let begun = 0;
  const begin = (id: number): void => {
    begun += 1;
    if (begun === 1) clock = new CpuClock();
    log.begun(id);
  };
  const work = async (id: number): Promise<void> => {
    begin(id);
    await pause(taskMs);
    log.ended(id);
  };
  let runner: Runner | undefined;
  return {
    answer: async (order: CrewOrder): Promise<CrewReport> => {
      if (order === "work") {
        runner = await peer.openRunner(place, {
          concurrency,
          readsPayload: true,
          onTask: taskMs === 0 ? ({ id }) => begin(id) : ({ id }) => work(id),
        });
      }
      return { begun, cpuMs: clock.read().cpuMs };
    },
    close: async () => {
      await runner?.stop();
      log.close();
    },
  };
});
