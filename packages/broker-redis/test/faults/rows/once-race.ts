import { type Child, eventually } from "@q/fault-kit";
import { expect } from "vitest";
import { Load } from "../load.ts";
import type { Row } from "../world.ts";

const count = 40;
const racers = 5;
const each = Array.from({ length: count }, () => 1);

export const onceRace: Row = {
  row: "56",
  name: "five producers send the same forty keys at once, and two are killed: one message per key; later the keys are free again",
  why: "a lock that is taken before its message is stored loses it, one that is taken after stores two",
  async run(world) {
    const server = await world.server();
    const load = await Load.start(world, { server, workers: 2, perSecond: 50 });
    const { history } = load;
    const tasks = { retryEvery: 0, delayEvery: 0, keys: { count, ttl: "5s" } };
    for (const name of ["early", "late"]) {
      const producers = Array.from({ length: racers }, (_, number) =>
        load.startProducer(`${name}${number}`, { burst: 1, perSecond: 200, count, tasks }),
      );
      await Promise.all(producers.slice(0, 2).map(killAmidst));
      await eventually("every key has its message", 20_000, () => runsPerKey(name).every((runs) => runs > 0));
      await eventually("no key is in use", 10_000, async () => {
        return ((await server.command("keys", "q:{load}:once:*")) as string[]).length === 0;
      });
      expect(runsPerKey(name)).toEqual(each);
    }
    await load.finish();

    async function killAmidst(child: Child): Promise<void> {
      const tries = (): number => history.read().of("try", { pid: child.pid }).length;
      await eventually(
        "it sends",
        20_000,
        () => tries() >= count / 4,
        () => child.output,
      );
      await child.kill();
    }

    function runsPerKey(name: string): readonly number[] {
      const runs = each.map(() => 0);
      for (const { id = "" } of history.read().of("done")) {
        const number = Number(id.split("-")[1]);
        if (id.startsWith(name)) runs[number] = (runs[number] ?? 0) + 1;
      }
      return runs;
    }
  },
};
