import { setTimeout as pause } from "node:timers/promises";
import { eventually } from "@q/fault-kit";
import { expect } from "vitest";
import { Load } from "../load.ts";
import type { Row } from "../world.ts";

export const longOutage: Row = {
  row: "13, away",
  name: "Redis is away for fifteen seconds: workers go on within two seconds of its return, and nothing runs twice",
  why: "whoever has tried in vain for long waits longer and longer before he tries again",
  async run(world) {
    const server = await world.server({ appendonly: true, args: ["--appendfsync", "always"] });
    const load = await Load.start(world, { server, perSecond: 100 });
    await server.kill();
    await pause(15_000);
    await server.restart();
    const since = Date.now();
    const working = (): number =>
      new Set(
        load.history
          .read()
          .of("start", { since })
          .map(({ pid }) => pid),
      ).size;
    // What is left over from before is enough for all of them.
    await eventually("all workers go on", 4000, () => working() === load.fleet.workers.length);
    const { duplicates } = await load.finish();
    expect(duplicates).toBe(0);
  },
};
