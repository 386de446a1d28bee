import { eventually } from "@q/fault-kit";
import { amqp } from "@q/broker-amqp";
import { silentLogger } from "@q/core/broker";
import { expect } from "vitest";
import { Load, queue } from "../load.ts";
import { openChannel } from "../../channel.ts";
import type { Row } from "../world.ts";

export const queueDeleted: Row = {
  row: "36, deleted and purged",
  name: "the queue is purged and deleted while it is consumed: it is made again, and workers go on",
  why: "a consumer hears of its end by a word that is easily missed",
  async run(world) {
    const site = await world.site();
    const load = await Load.start(world, { site });
    await Promise.all(load.producers.map((producer) => producer.stop()));
    // What goes with the queue is lost by the operator, and not by us.
    await eventually("everything is done", 20_000, () => load.history.read().open.size === 0);
    await site.admin.purgeQueue(queue, site.vhost);
    await site.admin.deleteQueue(queue, site.vhost);
    await load.startProducer("after", { count: 300 }).exited;
    await load.allWork();
    const { duplicates } = await load.drain();
    expect(duplicates).toBe(0);
    expect(load.history.of("done").filter(({ id }) => id?.startsWith("after"))).toHaveLength(300);
  },
};

export const queueOtherwise: Row = {
  row: "36, other arguments",
  name: "a queue is there with other arguments: that is said, with the argument's name, and nothing is changed",
  why: "to declare it again closes the channel, and to delete it would lose what is in it",
  async run(world) {
    const { url } = await world.site();
    const channel = await openChannel(world, url);
    await channel.assertQueue(queue, { durable: true, arguments: { "x-max-length": 5 } });
    channel.sendToQueue(queue, Buffer.from("somebody's"));
    await channel.waitForConfirms();
    const broker = amqp({ url });
    world.defer(() => broker.close());
    await broker.open({ logger: silentLogger });
    await expect(broker.declare([{ name: queue, priorities: false }])).rejects.toMatchObject({
      code: "Q1004",
      message: expect.stringMatching(/"load".*x-max-length|x-max-length.*"load"/) as unknown,
    });
    expect(await channel.checkQueue(queue)).toMatchObject({ messageCount: 1 });
  },
};
