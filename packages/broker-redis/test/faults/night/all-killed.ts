import { expect } from "vitest";
import { Load } from "../load.ts";
import type { Row } from "../world.ts";

export const allKilled: Row = {
  row: "4",
  name: "all workers are killed at once: those that come after them take over",
  why: "nobody is left to look after the dead",
  async run(world) {
    const load = await Load.start(world, { server: await world.server(), tasks: { mostMs: 100 }, perSecond: 200 });
    const victims = load.fleet.workers;
    await Promise.all(victims.map((worker) => worker.kill()));
    await load.fullStrength();
    const { duplicates } = await load.finish();
    expect(duplicates).toBeGreaterThan(0);
    expect(duplicates).toBeLessThanOrEqual(victims.length * 10);
  },
};
