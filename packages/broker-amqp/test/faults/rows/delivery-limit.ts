import { eventually, Fleet, judge } from "@q/fault-kit";
import { expect } from "vitest";
import { openChannel } from "../../channel.ts";
import { atHand, deadLetters, queue } from "../load.ts";
import type { Row } from "../world.ts";

const limit = 20;
const crashes = 25;
const innocents = 50;

export const deliveryLimit: Row = {
  row: "40",
  name: "the queue hands nothing out more often than twenty times and drops it then: after twenty-five crashes only the poison is dead",
  why: "RabbitMQ counts a death for everything that a worker held, and forgets a message at its limit without a word",
  withinMs: 240_000,
  async run(world) {
    const site = await world.site();
    const { history } = world;
    const channel = await openChannel(world, site.url);
    const limited = { "x-queue-type": "quorum", "x-delivery-limit": limit };
    await channel.assertQueue(queue, { durable: true, arguments: limited });
    // Taken as it is, whoever has declared it.
    const orders = { url: site.url, queue, broker: { timeout: "10s", queues: { [queue]: { shared: "celery" } } } };
    const send = async (name: string, count: number, tasks: object): Promise<void> => {
      const told = { ...orders, name, count, burst: count, tasks: { retryEvery: 0, delayEvery: 0, ...tasks } };
      await world.start("producer", told).exited;
    };
    await send("poison", 1, { kills: "start" });
    await send("innocent", innocents, {});
    expect(history.read().of("ok")).toHaveLength(innocents + 1);
    for (let crash = 0; crash < crashes; crash += 1)
      await world.start("claimer", { ...orders, prefetch: atHand }).exited;
    expect(history.read().of("claimed")).toHaveLength(crashes);

    const fleet = new Fleet(2, () => world.start("worker", orders));
    world.defer(() => fleet.end());
    const ended = (): boolean => history.read().open.size === 0;
    await eventually(
      "all are done, or dead",
      60_000,
      ended,
      () => `; open: ${[...history.open].join(", ")}\n${world.warnings}`,
    );
    await fleet.stop();
    const { lost, ghosts, dead } = judge(history.read());
    expect({ lost, ghosts, dead }).toEqual({ lost: [], ghosts: [], dead: ["poison-0"] });
    expect(await deadLetters(world, site)).toBe(1);
  },
};
