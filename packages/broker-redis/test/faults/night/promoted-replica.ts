import { eventually, judge, type Verdict } from "@q/fault-kit";
import { expect } from "vitest";
import { queue } from "../load.ts";
import type { Row, World } from "../world.ts";

/**
 * Producers send while the replica hears nothing any more, the master dies, and the replica is promoted. Then all that is stored runs.
 * Clients reach the master by an address that moves, as with Sentinel or a cloud's endpoint.
 */
async function promote(world: World, replicas: number): Promise<Verdict & { readonly unknown: number }> {
  const { history } = world;
  const master = await world.server();
  const link = await world.proxy(master);
  const replica = await world.server({ args: ["--replicaof", `${link.host} ${link.port}`] });
  const inStep = async (): Promise<boolean> => /state=online/.test(String(await master.command("info", "replication")));
  await eventually("the replica is in step", 20_000, inStep);
  let current = master;
  const address = await world.proxy({
    get port() {
      return current.port;
    },
  });
  const place = { url: `redis://127.0.0.1:${address.port}`, queue, broker: { replicas, timeout: "2s" } };
  const tasks = { retryEvery: 0, delayEvery: 0 };
  const producers = ["p0", "p1"].map((name) => world.start("producer", { ...place, name, tasks }));
  const stored = (): number => history.read().of("ok").length;
  await eventually("messages are stored", 20_000, () => stored() > 300);
  link.blackhole();
  const silentSince = Date.now();
  const told = (): number =>
    history.read().events.filter(({ e, at }) => (e === "ok" || e === "err") && at > silentSince).length;
  await eventually("producers have been told of later ones", 20_000, () => told() > 20);
  await master.kill();
  // What was on the way to the replica is gone with its sender.
  link.cut();
  link.refuse();
  await replica.command("replicaof", "no", "one");
  current = replica;
  address.cut();
  const since = Date.now();
  await eventually("producers go on", 20_000, () => history.read().of("ok", { since }).length > 20 || replicas > 0);
  await Promise.all(producers.map((producer) => producer.stop()));
  expect(producers.flatMap(({ failure }) => failure ?? [])).toEqual([]);
  const worker = world.start("worker", { ...place, broker: {} });
  await eventually("all that is left has run", 20_000, async () => {
    const [waiting, held] = [await replica.command("llen", queue), await replica.command("keys", "q:{load}:held:*")];
    return waiting === 0 && (held as unknown[]).length === 0;
  });
  await worker.stop();
  const verdict = judge(history.read());
  expect(verdict).toMatchObject({ ghosts: [], ackedTwice: [] });
  return { ...verdict, unknown: history.of("err").filter(({ unknown }) => unknown).length };
}

export const promotedReplica: readonly Row[] = [
  {
    row: "25, replicas 0",
    name: "a replica that lags is promoted: what it had not heard of is lost, although it was confirmed",
    why: "this is what the README warns of, and why there is the option",
    async run(world) {
      expect((await promote(world, 0)).lost.length).toBeGreaterThan(0);
    },
  },
  {
    row: "25, replicas 1",
    name: "the same with `replicas: 1`: what was confirmed is there, and of the rest the sender knows that he does not know",
    why: "whoever asks for a replica must not be told that it has what it has not",
    async run(world) {
      const { lost, unknown } = await promote(world, 1);
      expect(lost).toEqual([]);
      expect(unknown).toBeGreaterThan(0);
    },
  },
];
