import { expect } from "vitest";
import { Load } from "../load.ts";
import type { Row } from "../world.ts";

export const rollingRestart: Row = {
  row: "10",
  name: "workers are restarted one after the other: nothing runs twice, and nothing is counted as a crash",
  why: "every deployment is one",
  async run(world) {
    const load = await Load.start(world, { server: await world.server() });
    for (let round = 0; round < 2; round += 1) {
      for (const worker of load.fleet.workers) {
        await worker.stop();
        await load.fullStrength();
      }
    }
    const { duplicates } = await load.finish();
    expect(duplicates).toBe(0);
    expect(load.fleet.deaths).toBeGreaterThanOrEqual(8);
    const starts = load.history.of("start");
    expect(starts.filter(({ crashes }) => crashes !== 0)).toEqual([]);
    expect(starts.filter(({ retries = 0 }) => retries > 1)).toEqual([]);
  },
};
