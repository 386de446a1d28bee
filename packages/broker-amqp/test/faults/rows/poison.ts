import { sendPoison } from "@q/fault-kit";
import { deadIds, Load } from "../load.ts";
import type { Row } from "../world.ts";

export const poison: Row = {
  row: "41",
  name: "five messages kill every worker that runs them: those five are dead after three deaths each, and nobody else",
  why: "RabbitMQ counts a death for everything that a worker held",
  async run(world) {
    const site = await world.site();
    const load = await Load.start(world, { site, perSecond: 100, mayDie: true, mayRepeat: true });
    await sendPoison(load, 5, await deadIds(world, site));
  },
};
