import { setTimeout as pause } from "node:timers/promises";
import { expect } from "vitest";
import { Load } from "../load.ts";
import type { Row } from "../world.ts";

export const repliesLost: Row = {
  row: "17",
  name: "three answers in a hundred are lost: what is sent again is stored once, and what was taken unheard is found",
  why: "whoever gets no answer cannot know whether it was done",
  async run(world) {
    const server = await world.server();
    const proxy = await world.proxy(server);
    const load = await Load.start(world, { server, url: `redis://127.0.0.1:${proxy.port}` });
    proxy.dropReplies({ probability: 0.03, thenCut: true });
    await pause(6000);
    await proxy.restore();
    const { duplicates } = await load.finish();
    expect(proxy.counters.cut).toBeGreaterThan(20);
    expect(duplicates).toBe(0);
  },
};
