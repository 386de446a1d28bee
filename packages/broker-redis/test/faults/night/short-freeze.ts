import { setTimeout as pause } from "node:timers/promises";
import { expect } from "vitest";
import { Load } from "../load.ts";
import type { Row } from "../world.ts";

export const shortFreeze: Row = {
  row: "6",
  name: "a worker stops for less than a lease: nothing runs twice",
  why: "a machine that is busy for a moment has not died",
  async run(world) {
    const load = await Load.start(world, {
      server: await world.server(),
      lease: "4s",
      tasks: { mostMs: 100 },
      perSecond: 200,
    });
    for (let round = 0; round < 3; round += 1) {
      const worker = load.fleet.pick(world.random());
      worker.freeze();
      await pause(2800);
      worker.thaw();
      await load.allWork();
    }
    const { duplicates } = await load.finish();
    expect(duplicates).toBe(0);
  },
};
