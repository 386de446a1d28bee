import { eventually } from "@q/fault-kit";
import { expect } from "vitest";
import { Load } from "../load.ts";
import type { Row } from "../world.ts";

const megabyte = 2 ** 20;
const mostBytes = 200 * megabyte;
/** More than four workers can take until they are too large. */
const leaky = 1000;

export const leakRow: Row = {
  row: "45",
  name: "tasks leak a megabyte each, and workers that have grown too large make room for new ones: nothing runs twice",
  why: "the cure for leaks in code that one cannot change is a process that ends in good order",
  withinMs: 400_000,
  async run(world) {
    const load = await Load.start(world, {
      server: await world.server(),
      perSecond: 10,
      worker: { mostBytes },
    });
    // As many as there are, and not so many a second: how soon a worker is replaced depends on the machine.
    const leaks = { mostMs: 0, retryEvery: 0, delayEvery: 0, leakBytes: megabyte };
    await load.startProducer("leaky", { count: leaky, perSecond: 1000, tasks: leaks }).exited;
    await eventually("all of them have run", 180_000, () => load.history.read().open.size < leaky / 10);
    const { duplicates } = await load.finish();
    expect(duplicates).toBe(0);
    expect(load.history.of("recycled").length).toBeGreaterThanOrEqual(4);
    const largest = Math.max(...load.history.of("recycled").map(({ bytes = Infinity }) => bytes));
    expect(largest).toBeLessThan(2 * mostBytes);
    expect(load.history.of("start").filter(({ crashes }) => crashes !== 0)).toEqual([]);
  },
};
