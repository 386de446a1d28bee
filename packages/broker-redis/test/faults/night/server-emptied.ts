import { eventually } from "@q/fault-kit";
import { expect } from "vitest";
import { Load } from "../load.ts";
import type { Row } from "../world.ts";

export const serverEmptied: Row = {
  row: "14",
  name: "Redis comes back empty: workers enter anew, and run what is sent from then on",
  why: "without a file Redis keeps nothing, and its workers must not wait for what is gone",
  async run(world) {
    const server = await world.server();
    const load = await Load.start(world, { server });
    const workers = load.fleet.workers.map(({ pid }) => pid);
    await server.kill("SIGTERM");
    await server.restart();
    await load.allWork();
    const since = Date.now();
    await load.allWork();
    await Promise.all(load.producers.map((producer) => producer.stop()));
    const { history } = load;
    const open = (): number =>
      history
        .read()
        .of("ok", { since })
        .filter(({ id = "" }) => history.open.has(id)).length;
    await eventually("what was sent since is done", 15_000, () => open() === 0);
    expect(load.fleet.workers.map(({ pid }) => pid)).toEqual(workers);
    await load.fleet.stop();
    expect(load.fleet.failures).toEqual([]);
  },
};
