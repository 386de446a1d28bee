import { killWorkers } from "@q/fault-kit";
import { Load } from "../load.ts";
import type { Row } from "../world.ts";

export const workerKilled: Row = {
  row: "1",
  name: "twenty workers are killed, two at a time: nothing is lost, and no more runs twice than was running",
  why: "what a dead worker held belongs to nobody until somebody looks",
  async run(world) {
    const load = await Load.start(world, { server: await world.server() });
    // A lease and a beat, and the start of a process.
    await killWorkers(world, load, { rounds: 10, atHand: 10, recoveredWithinMs: 5000 });
  },
};
