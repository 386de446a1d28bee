import { expect } from "vitest";
import { atHand, Load, queue } from "../load.ts";
import type { Row } from "../world.ts";

const kills = 3;

export const leaderKilled: Row = {
  row: "31",
  name: "the node that leads the queue is killed again and again: what was confirmed is done, and all go on",
  why: "another node takes over what a majority has stored, and every client of the dead one has to move",
  withinMs: 900_000,
  async run(world) {
    const place = await world.cluster();
    const { cluster, vhost } = place;
    const load = await Load.start(world, { site: place, perSecond: 100, mayRepeat: true });
    for (let kill = 0; kill < kills; kill += 1) {
      const leader = await cluster.leaderOf(queue, vhost);
      await leader.kill();
      await load.allWork(60_000);
      expect((await cluster.leaderOf(queue, vhost)).node.name).not.toBe(leader.node.name);
      await leader.restart();
      await cluster.isWhole();
    }
    const { duplicates } = await load.finish();
    const resent = load.history.of("err").length;
    // What each worker held, and what each producer had under way.
    expect(duplicates).toBeLessThanOrEqual(kills * (load.fleet.workers.length * atHand + 2 * 6) + resent);
  },
};
