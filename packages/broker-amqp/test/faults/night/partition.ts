import { expect } from "vitest";
import { Load, queue } from "../load.ts";
import type { Row } from "../world.ts";

export const partition: Row = {
  row: "34",
  name: "the node that leads the queue is cut off from the others: it stops, the others go on, and what was confirmed is done",
  why: "two sides of a cut that both go on would each confirm what the other forgets",
  withinMs: 900_000,
  async run(world) {
    const place = await world.cluster();
    const { cluster, vhost } = place;
    const load = await Load.start(world, { site: place, perSecond: 100, mayRepeat: true });
    const leader = await cluster.leaderOf(queue, vhost);
    await cluster.isolate(leader);
    await load.allWork(120_000);
    const [other] = cluster.nodes.filter((node) => node !== leader);
    expect(await other?.admin.evaluate("rabbit_nodes:all_running()")).not.toContain(leader.node.name);
    await cluster.heal();
    await load.allWork(60_000);
    await load.finish();
  },
};
