import { eventually } from "@q/fault-kit";
import { expect } from "vitest";
import { Load } from "../load.ts";
import type { Row } from "../world.ts";

const poisons = 5;

export const poison: Row = {
  row: "41",
  name: "five messages kill every worker that runs them: those five are dead after three deaths each, and nobody else",
  why: "what was beside a poison when it killed looks as guilty",
  async run(world) {
    const load = await Load.start(world, { server: await world.server(), perSecond: 100, mayDie: true });
    const killer = load.startProducer("poison", {
      count: poisons,
      tasks: { retryEvery: 0, delayEvery: 0, kills: "start" },
    });
    await killer.exited;
    const dead = (): number => load.history.read().of("dead").length;
    await eventually(
      "the poisons are dead",
      60_000,
      () => dead() >= poisons,
      () => `, only ${dead()}`,
    );
    await load.fullStrength();
    const verdict = await load.finish();
    expect(verdict.dead.filter((id) => !id.startsWith("poison"))).toEqual([]);
    expect(verdict.dead).toHaveLength(poisons);
    const crashes = load.history.of("start").filter(({ id }) => id?.startsWith("poison"));
    expect(crashes.length).toBeLessThanOrEqual(3 * poisons);
  },
};
