import { deepEqual, ok } from "node:assert/strict";
import { Fleet, eventually, judge } from "@q/fault-kit";
import { RedisSentinels } from "@q/test-servers";
import { queue } from "../load.ts";
import type { Row, World } from "../world.ts";

interface Way {
  readonly row: string;
  readonly name: string;
  readonly why: string;
  readonly replicas: number;
  readonly failOver: (group: RedisSentinels) => Promise<unknown>;
}

const rounds = 5;
/** Two seconds, and what a busy machine needs to connect everybody anew. */
const goesOnWithinMs = 6000;

const ways: readonly Way[] = [
  {
    row: "26, killed",
    name: "the master is killed five times: with `replicas: 1` nothing confirmed is lost, and all go on at once",
    why: "the replica that is promoted is the one that has the most",
    replicas: 1,
    failOver: (group) => group.killMaster(),
  },
  {
    row: "26, by hand",
    name: "people ask for five failovers: with as many `replicas` as there are nothing confirmed is lost, and all go on at once",
    why: "the old master lives, and for a while has replicas that answer for what only they and it have",
    replicas: 2,
    failOver: (group) => group.failover(),
  },
];

export const failovers: readonly Row[] = ways.map(({ failOver, replicas, ...words }) => ({
  ...words,
  withinMs: 400_000,
  async run(world: World) {
    const { history } = world;
    const group = await RedisSentinels.start({ replicas: 2 });
    world.defer(() => group.stop());
    const places = group.sentinels.map(({ host, port }) => `${host}:${port}`).join();
    const place = { url: `redis+sentinel://${places}/${group.name}`, queue, broker: { replicas, lease: "10s" } };
    const fleet = new Fleet(3, () => world.start("worker", place));
    world.defer(() => fleet.end());
    const producers = ["p0", "p1"].map((name) => world.start("producer", { ...place, name, perSecond: 50 }));
    const flows = async (withinMs: number): Promise<void> => {
      const since = Date.now();
      const isFlowing = (kind: string): boolean => history.read().of(kind, { since }).length > 20;
      await eventually("producers and workers go on", withinMs, () => isFlowing("ok") && isFlowing("acked"));
    };
    await flows(60_000);
    // One that is still on its way to its first master could not start without.
    const isReady = ({ pid }: { readonly pid: number }): boolean => history.read().of("ready", { pid }).length > 0;
    await eventually("every worker is ready", 60_000, () => fleet.workers.every(isReady));
    for (let round = 0; round < rounds; round += 1) {
      const old = await group.master();
      await failOver(group);
      if (replicas === 1) await flows(goesOnWithinMs);
      if (!old.isRunning) await old.restart();
      // Or there would be nobody to fail over to, and too few for a send to wait for.
      await eventually("the master has its replicas", 90_000, async () => {
        const info = String(await (await group.master()).command("info", "replication"));
        return info.match(/state=online/g)?.length === 2;
      });
      await flows(goesOnWithinMs);
    }
    await Promise.all(producers.map((producer) => producer.stop()));
    const waiting = async (): Promise<number> => {
      const master = await group.master();
      const delayed = await master.command("zcard", `q:{${queue}}:delayed`);
      const held = (await master.command("keys", `q:{${queue}}:held:*`)) as unknown[]; // the reply of KEYS
      return Number(await master.command("llen", queue)) + Number(delayed) + held.length;
    };
    await eventually("nothing is left", 120_000, async () => (await waiting()) === 0);
    await fleet.stop();
    const { lost, ghosts, stored } = judge(history.read());
    deepEqual({ lost, ghosts, failures: fleet.failures }, { lost: [], ghosts: [], failures: [] });
    ok(stored > 500);
  },
}));
