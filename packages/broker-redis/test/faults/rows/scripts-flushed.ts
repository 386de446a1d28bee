import { setTimeout as pause } from "node:timers/promises";
import { expect } from "vitest";
import { adminOf, Load } from "../load.ts";
import type { Row } from "../world.ts";

export const scriptsFlushed: Row = {
  row: "24",
  name: "Redis forgets its scripts all the time: nothing is lost, nothing is stored twice",
  why: "a script that is sent again must not overtake the next one",
  async run(world) {
    const server = await world.server();
    const load = await Load.start(world, { server });
    const until = performance.now() + 4000;
    while (performance.now() < until) {
      await adminOf(server)("script", "flush");
      await pause(50);
    }
    const { duplicates } = await load.finish();
    expect(duplicates).toBe(0);
  },
};
