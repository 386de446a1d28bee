import { early, firstRuns, lateBecauseOfDelay } from "@q/fault-kit";
import { ClockShim } from "@q/test-servers";
import { expect } from "vitest";
import { Load } from "../load.ts";
import type { Row } from "../world.ts";

const hour = 3_600_000;

export const wrongClocks: Row = {
  row: "47",
  name: "the clocks of producers and workers are an hour off, or run at double speed: what is delayed comes when Redis says",
  why: "a machine whose clock is wrong must not make others wait, nor run what is not due",
  needs: "gcc",
  async run(world) {
    const clocks = await Promise.all([ClockShim.create(), ClockShim.create(), ClockShim.create()]);
    for (const clock of clocks) world.defer(() => clock.remove());
    const [ahead, behind, fast] = clocks;
    ahead.offset(hour);
    behind.offset(-hour);
    const startedAt = performance.now();
    const drift = setInterval(() => fast.offset(Math.round(performance.now() - startedAt)), 100);
    world.defer(() => Promise.resolve(clearInterval(drift)));
    let started = 0;
    const load = await Load.start(world, {
      server: await world.server(),
      perSecond: 100,
      workers: 3,
      tasks: { delayEvery: 0 },
      surroundings: () => ({ env: clocks[started++ % 3]?.env ?? {} }),
    });
    // Now that workers of q are there, which is when Redis keeps what is delayed: Celery's go by their own clocks.
    const tasks = { delayEvery: 2, delays: [2000] };
    const senders = clocks.map((_, number) => load.startProducer(`late${number}`, { count: 100, tasks }));
    await Promise.all(senders.map(({ exited }) => exited));
    for (let round = 0; round < 5; round += 1) await load.allWork();
    const { duplicates } = await load.finish();
    expect(duplicates).toBe(0);
    const runs = firstRuns(load.history);
    expect(runs.filter(({ delayMs }) => delayMs > 0).length).toBeGreaterThan(50);
    expect(early(runs)).toEqual([]);
    expect(lateBecauseOfDelay(runs, 0.95)).toBeLessThan(1200);
  },
};
