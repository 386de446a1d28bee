import { amqp } from "@q/broker-amqp";
import { silentLogger } from "@q/core/broker";
import { expect } from "vitest";
import { queue, readyIn } from "../load.ts";
import { message } from "../../message.ts";
import type { Row } from "../world.ts";

export const unroutable: Row = {
  row: "38",
  name: "the queue is gone: each of a hundred sends is rejected, and the ones beside them are stored",
  why: "RabbitMQ confirms what leads nowhere, and drops it",
  async run(world) {
    const site = await world.site();
    const { url, admin, vhost } = site;
    const broker = amqp({ url });
    world.defer(() => broker.close());
    await broker.open({ logger: silentLogger });
    await broker.declare([
      { name: queue, priorities: false },
      { name: "beside", priorities: false },
    ]);
    await admin.deleteQueue(queue, vhost);
    const sent = Array.from({ length: 200 }, (_, number) => message(`m${number}`, number % 2 === 0 ? queue : "beside"));
    const failed = await broker.publish(sent).catch((error: unknown) => error);
    const failures = [...(failed as { readonly failures: ReadonlyMap<number, { readonly code: string }> }).failures];
    expect(failures.map(([position]) => position)).toEqual(
      sent.flatMap((_, number) => (number % 2 === 0 ? [number] : [])),
    );
    expect([...new Set(failures.map(([, { code }]) => code))]).toEqual(["Q1105"]);
    expect(await readyIn(world, "beside", site)).toBe(100);
  },
};
