import { setTimeout as pause } from "node:timers/promises";
import { expect } from "vitest";
import { Load } from "../load.ts";
import type { Row } from "../world.ts";

export const serverFrozen: Row = {
  row: "15",
  name: "Redis stops for more than two leases: nothing runs twice",
  why: "when it goes on, every lease has run out, and nobody is dead",
  async run(world) {
    const server = await world.server();
    const load = await Load.start(world, { server, perSecond: 200, tasks: { mostMs: 100 } });
    server.freeze();
    await pause(4600);
    server.thaw();
    const { duplicates } = await load.finish();
    expect(duplicates).toBe(0);
  },
};
