import { restartInTurn } from "@q/fault-kit";
import { Load } from "../load.ts";
import type { Row } from "../world.ts";

export const rollingRestart: Row = {
  row: "10",
  name: "workers are restarted one after the other: nothing runs twice, and nothing is counted as a crash",
  why: "every deployment is one",
  async run(world) {
    await restartInTurn(await Load.start(world, { server: await world.server() }));
  },
};
