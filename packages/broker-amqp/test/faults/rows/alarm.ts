import { eventually } from "@q/fault-kit";
import { expect } from "vitest";
import { Load } from "../load.ts";
import type { Row } from "../world.ts";

export const alarm: Row = {
  row: "33",
  name: "the node is short of memory: workers go on with what is there, and a send fails in its time; then all go on",
  why: "RabbitMQ reads nothing more from a connection that publishes, not even acknowledgements, and says nothing to who waits",
  async run(world) {
    const site = await world.site();
    const { admin } = site.server;
    // Tasks without retries: those are published too, and have to wait.
    const tasks = { mostMs: 100, retryEvery: 0, delayEvery: 0 };
    const load = await Load.start(world, { site, tasks, perSecond: 100, broker: { timeout: "4s" }, mayRepeat: true });
    const { history } = load;
    world.defer(() => admin.setMemoryAlarm(false));
    await admin.setMemoryAlarm(true);
    const alarmedAt = Date.now();
    const refused = (): readonly { readonly at: number; readonly code?: string }[] =>
      history.read().of("err", { since: alarmedAt });
    await eventually("sends fail", 20_000, () => refused().length > 10);
    await eventually("what was stored is done", 20_000, () => history.read().open.size === 0);
    // Whether they were stored nobody knows, or it is known that they were not.
    expect(new Set(refused().map(({ code }) => code))).toEqual(new Set(["Q1102"]));
    const tried = (id: string | undefined): number =>
      history.traces.get(id ?? "")?.events.find(({ e }) => e === "try")?.at ?? 0;
    for (const { id, at } of history.of("err", { since: alarmedAt })) expect(at - tried(id)).toBeLessThan(2 * 4000);
    await admin.setMemoryAlarm(false);
    await load.allWork();
    const { duplicates } = await load.finish();
    expect(duplicates).toBe(0);
  },
};
