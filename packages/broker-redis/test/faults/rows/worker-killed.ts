import { recoveryTimes } from "@q/fault-kit";
import { expect } from "vitest";
import { Load } from "../load.ts";
import type { Row } from "../world.ts";

const rounds = 10;
const concurrency = 10;

export const workerKilled: Row = {
  row: "1",
  name: "twenty workers are killed, two at a time: nothing is lost, and no more runs twice than was running",
  why: "what a dead worker held belongs to nobody until somebody looks",
  async run(world) {
    const load = await Load.start(world, { server: await world.server() });
    const deaths: { pid: number; at: number }[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const first = load.fleet.pick(world.random());
      const others = load.fleet.workers.filter((worker) => worker !== first);
      const victims = [first, ...others.slice(0, 1)];
      deaths.push(...victims.map(({ pid }) => ({ pid, at: Date.now() })));
      await Promise.all(victims.map((victim) => victim.kill()));
      await load.fullStrength();
    }
    const { duplicates } = await load.finish();
    expect(duplicates).toBeLessThanOrEqual(deaths.length * concurrency);
    const times = deaths.flatMap(({ pid, at }) => recoveryTimes(load.history, pid, at));
    expect(times.length).toBeGreaterThan(0);
    // A lease and a beat, and the start of a process.
    expect(Math.max(...times)).toBeLessThan(5000);
  },
};
