import { killWorkers } from "@q/fault-kit";
import { atHand, Load } from "../load.ts";
import type { Row } from "../world.ts";

/** Workers are killed, of queues of one type. */
export function workersKilled(queueType: "quorum" | "classic", rounds: number): Row {
  return {
    row: `2, ${queueType}`,
    name: "workers are killed, two at a time: nothing is lost, and no more runs twice than was running",
    why: "the server gives back what a dead worker held, and says no more than that it was handed out before",
    async run(world) {
      const load = await Load.start(world, { site: await world.site(), broker: { queueType }, mayRepeat: true });
      // The server gives back at once what a dead worker held; but suspects run one at a time in each of those that are left.
      // While its prefetch changes, a worker holds the messages of two subscriptions.
      await killWorkers(world, load, { rounds, atHand: atHand * 2, recoveredWithinMs: 30_000 });
    },
  };
}
