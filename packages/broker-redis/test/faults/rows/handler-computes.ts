import { eventually } from "@q/fault-kit";
import { expect } from "vitest";
import type { Row } from "../world.ts";

export const handlerComputes: Row = {
  row: "43",
  name: "a handler that computes for three leases keeps its message; one that never ends is ended, and another worker goes on",
  why: "a blocked event loop cannot say that it lives, and a thread that says so for it must know when it does not",
  async run(world) {
    const server = await world.server();
    const { history } = world;
    const place = { url: server.url, concurrency: 1 };
    const start = (queue: string, broker: Record<string, string>): void => {
      for (let worker = 0; worker < 2; worker += 1) world.start("worker", { ...place, queue, broker });
    };
    // What renews it must first be loaded, on a machine that is as busy as may be.
    start("computes", { lease: "2s" });
    start("sticks", { lease: "1s", stuckAfter: "2s" });
    await eventually("the workers are ready", 15_000, () => history.read().of("ready").length === 4);
    const send = (queue: string, tasks: Record<string, unknown>): void =>
      void world.start("producer", {
        ...place,
        queue,
        name: queue,
        count: 1,
        burst: 1,
        tasks: { retryEvery: 0, delayEvery: 0, ...tasks },
      });
    send("computes", { busyMs: 7000 });
    send("sticks", { sticks: true });
    await eventually("both are done", 20_000, () => history.read().of("acked").length === 2);
    const runs = (name: string): readonly (number | undefined)[] =>
      history.of("start").flatMap(({ id, crashes }) => (id?.startsWith(name) ? [crashes] : []));
    expect(runs("computes")).toEqual([0]);
    expect(runs("sticks")).toEqual([0, 1]);
  },
};
