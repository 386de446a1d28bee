import { early, eventually, firstRuns, lateBecauseOfDelay } from "@q/fault-kit";
import { expect } from "vitest";
import { Load } from "../load.ts";
import type { Row } from "../world.ts";

const count = 2000;
/** From a tenth of a second to twelve seconds, short ones behind long ones. */
const delays: readonly number[] = Array.from({ length: 60 }, (_, number) => 100 + ((number * 37) % 60) * 200);

export const delaysRow: Row = {
  row: "39",
  name: "two thousand delays of up to twelve seconds, and the node is restarted meanwhile: none early, none lost",
  why: "what waits is in the queues of the ladder, and each step hands it on",
  withinMs: 180_000,
  async run(world) {
    const site = await world.site();
    const load = await Load.start(world, { site, perSecond: 20, mayRepeat: true });
    const { history } = load;
    const tasks = { mostMs: 0, retryEvery: 0, delayEvery: 1, delays };
    const send = (name: string): Promise<void> =>
      load.startProducer(name, { count: count / 2, burst: 50, perSecond: 1000, tasks }).exited;
    await send("calm");
    const done = (name: string): number =>
      [...history.read().traces].filter(([id, { isDone }]) => isDone && id.startsWith(name)).length;
    await eventually("all are done", 30_000, () => done("calm") === count / 2);
    expect(early(firstRuns(history))).toEqual([]);
    expect(lateBecauseOfDelay(firstRuns(history), 0.99)).toBeLessThan(1200);
    await send("cut");
    await site.server.kill();
    await site.server.restart();
    await eventually("all of these are done", 60_000, () => done("cut") === count / 2);
    expect(early(firstRuns(history))).toEqual([]);
    await load.finish();
  },
};
