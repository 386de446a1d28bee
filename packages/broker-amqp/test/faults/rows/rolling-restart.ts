import { restartInTurn } from "@q/fault-kit";
import { Load } from "../load.ts";
import type { Row } from "../world.ts";

export const rollingRestart: Row = {
  row: "10",
  name: "workers are restarted one after the other: nothing runs twice, and nothing is counted as a crash",
  why: "every deployment is one, and RabbitMQ cannot tell a message that was given back from one whose worker died",
  async run(world) {
    await restartInTurn(await Load.start(world, { site: await world.site() }));
  },
};
