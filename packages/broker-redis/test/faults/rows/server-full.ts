import { eventually } from "@q/fault-kit";
import { expect } from "vitest";
import { adminOf, Load } from "../load.ts";
import type { Row } from "../world.ts";

const backlog = 2000;

export const serverFull: Row = {
  row: "22",
  name: "Redis is full: producers hear of it at once, workers go on, also new ones, until it is empty",
  why: "only workers can make room, and they write too",
  async run(world) {
    const server = await world.server();
    const admin = adminOf(server);
    const load = await Load.start(world, { server, perSecond: 100 });
    const { history } = load;
    const filler = load.startProducer("filler", {
      count: backlog,
      burst: 500,
      perSecond: 100_000,
      tasks: { mostMs: 120, retryEvery: 4, delayEvery: 20 },
    });
    await filler.exited;
    await admin("config", "set", "maxmemory", 1);
    const fullAt = Date.now();
    await load.fleet.pick(world.random()).kill();
    await load.fullStrength();

    const isFillers = ({ id }: { readonly id?: string }): boolean => id?.startsWith("filler") === true;
    expect(history.read().of("ok").filter(isFillers)).toHaveLength(backlog);
    const open = (): number => [...history.read().open].filter((id) => id.startsWith("filler")).length;
    expect(open()).toBeGreaterThan(0);
    await eventually("the backlog is worked off", 20_000, () => open() === 0);
    expect(history.of("retried", { since: fullAt }).length).toBeGreaterThan(10);
    const refused = history.of("err", { since: fullAt });
    expect(new Set(refused.map(({ code }) => code))).toEqual(new Set(["Q1016"]));
    const waits = refused.map(({ id = "", at }) => at - (history.traces.get(id)?.events[0]?.at ?? 0));
    expect(waits.toSorted((one, other) => one - other)[Math.floor(waits.length / 2)]).toBeLessThan(100);

    await admin("config", "set", "maxmemory", 0);
    const { duplicates } = await load.finish();
    // Of the one that was killed.
    expect(duplicates).toBeLessThanOrEqual(10);
  },
};
