import { setTimeout as pause } from "node:timers/promises";
import { silentLogger } from "@q/core/broker";
import { expect } from "vitest";
import { readOptions } from "../../../src/options.ts";
import { RedisBroker } from "../../../src/redis-broker.ts";
import { Load, queue } from "../load.ts";
import type { Row } from "../world.ts";

export const paused: Row = {
  row: "55",
  name: "a queue is paused under load: a second later nothing starts any more, until it goes on",
  why: "whoever pauses a queue is about to do something that must not be disturbed",
  async run(world) {
    const server = await world.server();
    const load = await Load.start(world, { server });
    const broker = new RedisBroker(readOptions(server.url));
    await broker.open({ logger: silentLogger });
    world.defer(() => broker.close());
    await broker.inspector.pause(queue);
    const pausedAt = Date.now();
    await pause(3000);
    const resumedAt = Date.now();
    const late = load.history.read().of("start", { since: pausedAt + 1000 });
    await broker.inspector.resume(queue);
    expect(late).toEqual([]);
    await load.allWork();
    const [first] = load.history.of("start", { since: resumedAt });
    expect((first?.at ?? Infinity) - resumedAt).toBeLessThan(1500);
    const { duplicates } = await load.finish();
    expect(duplicates).toBe(0);
  },
};
