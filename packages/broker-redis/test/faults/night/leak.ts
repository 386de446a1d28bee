import { eventually } from "@q/fault-kit";
import { expect } from "vitest";
import { Load } from "../load.ts";
import type { Row } from "../world.ts";

const megabyte = 2 ** 20;
const mostBytes = 200 * megabyte;

export const leakRow: Row = {
  row: "45",
  name: "every task leaks half a megabyte, and workers that have grown too large make room for new ones: nothing runs twice",
  why: "the cure for leaks in code that one cannot change is a process that ends in good order",
  async run(world) {
    const load = await Load.start(world, {
      server: await world.server(),
      perSecond: 40,
      tasks: { leakBytes: megabyte / 2 },
      worker: { mostBytes },
    });
    const recycled = (): number => load.history.read().of("recycled").length;
    await eventually("every worker has been replaced", 120_000, () => recycled() >= 8);
    const { duplicates } = await load.finish();
    expect(duplicates).toBe(0);
    const largest = Math.max(...load.history.of("recycled").map(({ bytes = Infinity }) => bytes));
    expect(largest).toBeLessThan(2 * mostBytes);
    expect(load.history.of("start").filter(({ crashes }) => crashes !== 0)).toEqual([]);
  },
};
