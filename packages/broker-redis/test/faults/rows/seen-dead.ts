import { recoveryTimes } from "@q/fault-kit";
import { expect } from "vitest";
import { Load } from "../load.ts";
import type { Row } from "../world.ts";

export const seenDead: Row = {
  row: "9",
  name: "a worker that dies beside others of its machine is seen at once, not when its lease ends",
  why: "half a minute is long for a task that somebody waits for",
  async run(world) {
    const load = await Load.start(world, {
      server: await world.server(),
      lease: "30s",
      perSecond: 150,
      tasks: { mostMs: 100 },
    });
    const deaths: { readonly pid: number; readonly at: number }[] = [];
    for (let kill = 0; kill < 3; kill += 1) {
      const victim = load.fleet.pick(world.random());
      const at = Date.now();
      await victim.kill();
      await load.fullStrength();
      await load.allWork();
      deaths.push({ pid: victim.pid, at });
    }
    await load.finish();
    const events = load.history.read();
    const times = deaths.flatMap(({ pid, at }) => recoveryTimes(events, pid, at));
    expect(times.length).toBeGreaterThan(0);
    // A second, and what a busy machine needs to start a suspect.
    expect(Math.max(...times)).toBeLessThan(8000);
  },
};
