import { eventually, type History } from "@q/fault-kit";
import { expect } from "vitest";
import { Load, queue } from "../load.ts";
import type { Row, World } from "../world.ts";

const each = 5;
const calm = { workers: 2, perSecond: 100 };

/** The moments in which one side knows more than the other. */
export const killedInBetween: readonly Row[] = [
  {
    row: "8, claim and start",
    name: "workers are killed when they have got a message, before it starts: it runs once",
    why: "Redis has given it away, and nobody has begun",
    async run(world: World) {
      const server = await world.server();
      const load = await Load.start(world, { server, ...calm });
      const orders = { url: server.url, queue, broker: { lease: "2s" } };
      const claimers = Array.from({ length: each }, () => world.start("claimer", orders));
      await Promise.all(claimers.map(({ exited }) => exited));
      expect(load.history.read().of("claimed")).toHaveLength(each);
      const { duplicates } = await load.finish();
      expect(duplicates).toBe(0);
    },
  },
  {
    row: "8, end and acknowledgement",
    name: "workers are killed when a task has ended, before they can say so: it runs once more, and not again",
    why: "the work is done, and Redis does not know",
    async run(world: World) {
      const server = await world.server();
      const load = await Load.start(world, { server, ...calm, mayDie: true });
      const tasks = { mostMs: 0, retryEvery: 0, delayEvery: 0, kills: "done" };
      const deadly = load.startProducer("deadly", { count: each, tasks });
      await deadly.exited;
      const ended = (): number =>
        load.history
          .read()
          .of("acked")
          .filter(({ id }) => id?.startsWith("deadly")).length;
      await eventually("the deadly ones are acknowledged", 20_000, () => ended() === each);
      await load.fullStrength();
      const { duplicates } = await load.finish();
      const runs = Array.from({ length: each }, (_, number) => runsOf(load.history, `deadly-${number}`));
      // Those beside the first one are suspects when they run, and kill no more.
      expect(Math.max(...runs)).toBe(2);
      expect(duplicates).toBeLessThanOrEqual(load.fleet.deaths * 10);
    },
  },
  {
    row: "8, store and answer",
    name: "a producer is killed after its messages were stored, before it hears so: they run once",
    why: "nobody is left to ask whether they were stored",
    async run(world: World) {
      const server = await world.server();
      const proxy = await world.proxy(server);
      const load = await Load.start(world, { server, ...calm });
      const { history } = load;
      const deaf = load.startProducer("deaf", { url: `redis://127.0.0.1:${proxy.port}`, tasks: { delayEvery: 0 } });
      await eventually("it sends", 10_000, () => history.read().of("ok", { pid: deaf.pid }).length > 20);
      proxy.dropReplies();
      await eventually("an answer was lost", 5000, () => proxy.counters.silenced > 0);
      await deaf.kill();
      const { duplicates } = await load.finish();
      const unheard = [...history.traces].filter(([id, { isStored }]) => id.startsWith("deaf") && !isStored);
      expect(unheard.filter(([id]) => runsOf(history, id) > 0).length).toBeGreaterThan(0);
      expect(duplicates).toBe(0);
    },
  },
];

function runsOf({ traces }: History, id: string): number {
  return traces.get(id)?.events.filter(({ e }) => e === "start").length ?? 0;
}
