import { deepEqual, equal, ok } from "node:assert/strict";
import { eventually } from "@q/fault-kit";
import { Load } from "../load.ts";
import type { Row, World } from "../world.ts";

interface Way {
  readonly kills: string;
  readonly how: string;
  /** Of workers, so that they die soon. */
  readonly nodeArgs?: readonly string[];
  readonly stuckAfter?: string;
}

const ways: readonly Way[] = [
  { kills: "memory", how: "uses up the memory of", nodeArgs: ["--max-old-space-size=64"] },
  { kills: "loop", how: "computes for ever in", stuckAfter: "1s" },
  { kills: "rejection", how: "leaves a rejection unhandled in" },
];

/** Ways to die that the process itself chooses, not a signal. */
export const poisonWays: readonly Row[] = ways.map(({ kills, how, nodeArgs = [], stuckAfter }) => ({
  row: `42, ${kills}`,
  name: `a message ${how} every worker that runs it: it is dead after three deaths, and nobody else`,
  why: "a process that dies by its own doing gives nothing back",
  async run(world: World) {
    const load = await Load.start(world, {
      server: await world.server(),
      perSecond: 60,
      mayDie: true,
      surroundings: () => ({ nodeArgs }),
      ...(stuckAfter === undefined ? {} : { stuckAfter }),
    });
    const killer = load.startProducer("poison", {
      count: 1,
      burst: 1,
      tasks: { retryEvery: 0, delayEvery: 0, kills },
    });
    await killer.exited;
    await eventually("the poison is dead", 60_000, () => load.history.read().of("dead").length > 0);
    await load.fullStrength();
    const { dead } = await load.finish();
    deepEqual(dead, ["poison-0"]);
    equal(load.history.of("start").filter(({ id }) => id === "poison-0").length, 3);
    ok(load.fleet.deaths >= 3);
  },
}));
