import { eventually } from "@q/fault-kit";
import { expect } from "vitest";
import { Load } from "../load.ts";
import type { Row } from "../world.ts";

const zombies = 50;
const maxRetries = 1;

export const zombieRow: Row = {
  row: "44",
  name: "fifty handlers ignore that their time is over: each attempt counts once, and workers without a free slot are replaced",
  why: "nobody can stop a function that does not want to stop, and its slot is gone",
  async run(world) {
    const load = await Load.start(world, { server: await world.server(), perSecond: 60, mayDie: true });
    const hangs = { retryEvery: 0, delayEvery: 0, hangs: true, sending: { timeLimit: "500ms", maxRetries } };
    const sender = load.startProducer("zombie", { count: zombies, tasks: hangs });
    await sender.exited;
    const { history } = load;
    const isZombies = ({ id }: { readonly id?: string }): boolean => id?.startsWith("zombie") === true;
    const dead = (): number => history.read().of("dead").filter(isZombies).length;
    await eventually(
      "all attempts of all of them are over",
      120_000,
      () => dead() === zombies,
      () => `, only ${dead()}`,
    );
    await load.fullStrength();
    const verdict = await load.finish();
    expect(verdict.dead).toHaveLength(zombies);
    const attempts = history.of("retried").filter(isZombies).length + dead();
    expect(attempts).toBe(zombies * (maxRetries + 1));
    expect(load.fleet.deaths).toBeGreaterThan(4);
  },
};
