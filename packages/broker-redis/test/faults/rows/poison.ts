import { sendPoison } from "@q/fault-kit";
import { deadIds } from "../census.ts";
import { adminOf, Load, queue } from "../load.ts";
import type { Row } from "../world.ts";

export const poison: Row = {
  row: "41",
  name: "five messages kill every worker that runs them: those five are dead after three deaths each, and nobody else",
  why: "what was beside a poison when it killed looks as guilty",
  async run(world) {
    const server = await world.server();
    const load = await Load.start(world, { server, perSecond: 100, mayDie: true });
    await sendPoison(load, 5, () => deadIds(adminOf(server), queue));
  },
};
