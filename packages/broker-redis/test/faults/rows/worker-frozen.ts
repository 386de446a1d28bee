import { setTimeout as pause } from "node:timers/promises";
import { expect } from "vitest";
import { Load } from "../load.ts";
import type { Row } from "../world.ts";

const concurrency = 10;

export const workerFrozen: Row = {
  row: "5",
  name: "a worker stops for two leases and goes on: what it ends too late does not count",
  why: "a worker that was taken for dead may come back and believe that nothing has happened",
  async run(world) {
    const load = await Load.start(world, { server: await world.server(), perSecond: 200, tasks: { mostMs: 100 } });
    const frozen = load.fleet.pick(world.random());
    frozen.freeze();
    await pause(4400);
    frozen.thaw();
    const { duplicates } = await load.finish();
    const late = load.history.of("lost", { pid: frozen.pid });
    expect(late.length).toBeGreaterThan(0);
    expect(duplicates).toBeGreaterThan(0);
    expect(duplicates).toBeLessThanOrEqual(concurrency);
  },
};
