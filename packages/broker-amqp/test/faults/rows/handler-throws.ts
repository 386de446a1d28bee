import { amqp } from "@q/broker-amqp";
import { eventually } from "@q/fault-kit";
import { silentLogger, type Settled } from "@q/core/broker";
import { expect } from "vitest";
import { queue } from "../load.ts";
import { message } from "../../message.ts";
import type { Row } from "../world.ts";

export const handlerThrows: Row = {
  row: "37, handler",
  name: "whoever is given a message throws at once: the connection stands, and what came with it is handed out",
  why: "amqplib closes the connection when a callback throws",
  async run(world) {
    const { url } = await world.site();
    const broker = amqp({ url });
    world.defer(() => broker.close());
    await broker.open({ logger: silentLogger });
    await broker.declare([{ name: queue, priorities: false }]);
    const seen: string[] = [];
    const settled: Promise<Settled>[] = [];
    await broker.consume([queue], { prefetch: 10 }, (delivery) => {
      const { message: found } = delivery;
      if (!("id" in found)) return;
      seen.push(found.id);
      settled.push(delivery.settle({ kind: "ack" }));
      if (found.id === "m3") throw new Error("thrown at once");
    });
    await broker.publish(Array.from({ length: 10 }, (_, number) => message(`m${number}`, queue)));
    await eventually("all have come", 10_000, () => new Set(seen).size === 10);
    expect(new Set(await Promise.all(settled))).toEqual(new Set(["settled"]));
    expect(broker.connected).toBe(true);
    expect(seen).toHaveLength(10);
  },
};
