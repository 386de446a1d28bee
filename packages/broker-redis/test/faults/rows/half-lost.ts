import { setTimeout as pause } from "node:timers/promises";
import { expect } from "vitest";
import { Load } from "../load.ts";
import type { Row } from "../world.ts";

export const halfLost: Row = {
  row: "21",
  name: "every second answer is lost, and its connection with it: no process dies of it",
  why: "what fails while a connection comes back has no caller who would hear of it",
  async run(world) {
    const server = await world.server();
    const proxy = await world.proxy(server);
    const load = await Load.start(world, {
      server,
      url: `redis://127.0.0.1:${proxy.port}`,
      perSecond: 100,
      // Connections that come back need several answers each time.
      lease: "15s",
    });
    proxy.dropReplies({ probability: 0.5, thenCut: true });
    await pause(4000);
    await proxy.restore();
    const { duplicates } = await load.finish();
    expect(proxy.counters.cut).toBeGreaterThan(50);
    expect(duplicates).toBe(0);
  },
};
