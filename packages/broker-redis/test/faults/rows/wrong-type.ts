import { silentLogger, systemClock, type DeadReason } from "@q/core/broker";
import { expect } from "vitest";
import { Connection } from "../../../src/connection.ts";
import { queueKeys } from "../../../src/keys.ts";
import { readOptions } from "../../../src/options.ts";
import { adopt } from "../../../src/scripts/adopt.ts";
import { claim, tagOf } from "../../../src/scripts/claim.ts";
import { enter } from "../../../src/scripts/enter.ts";
import { leave } from "../../../src/scripts/leave.ts";
import { publishOnce } from "../../../src/scripts/publish-once.ts";
import { publish } from "../../../src/scripts/publish.ts";
import { renew } from "../../../src/scripts/renew.ts";
import { settle, type Ending } from "../../../src/scripts/settle.ts";
import { fireTick } from "../../../src/scripts/tick.ts";
import { adminOf } from "../load.ts";
import type { Row } from "../world.ts";

const keys = queueKeys("typed", "");
const other = queueKeys("other", "");
const [me, deceased] = ["me", "deceased"];
const reason: DeadReason = { code: "failed", message: "no" };
const retention = { maxAgeMs: 60_000, maxCount: 10 };

type Step = (connection: Connection) => Promise<unknown>;

const push = (delayMs: number) => ({ list: 0, text: `{"n":${delayMs}}`, delayMs });
const end =
  (...endings: readonly Ending[]): Step =>
  (connection) =>
    settle(connection, keys, { consumerId: me, acks: [{ fence: 1, list: 0 }], endings, retention });
const held = { fence: 2, list: 0 };

/** Every step that changes a queue. */
const steps: Readonly<Record<string, Step>> = {
  publish: (connection) =>
    publish(connection, keys, { producer: "p", sequence: 9, replicas: 0, pushes: [push(0), push(60_000)] }),
  publishOnce: (connection) =>
    publishOnce(connection, keys, { keyHash: "k", ttlMs: 1000, attempt: "a", push: push(60_000), replicas: 0 }),
  fire: (connection) =>
    fireTick(connection, keys, { name: "s", at: 1, elsewhere: 0, push: { list: 0, text: "{}" }, replicas: 0 }),
  enter: (connection) => enter(connection, keys, { id: "new", leaseMs: 60_000 }),
  claim: (connection) => claim(connection, keys, { id: me, most: 2, lists: 4, lastFence: 0 }),
  adopt: (connection) => adopt(connection, keys, { id: me, most: 2, known: [] }),
  ack: end(),
  start: end({ kind: "start", ...held }),
  release: end({ kind: "release", ...held }),
  retry: end({ kind: "requeue", ...held, delayMs: 60_000, text: "{}" }),
  requeue: end({ kind: "requeue", ...held, delayMs: 0, text: "{}" }),
  bury: end({ kind: "bury", ...held, reason }),
  renew: (connection) =>
    renew(connection, keys, { id: me, leaseMs: 60_000, silenceMs: 60_000, crashDelayMs: 0, knownDead: [deceased] }),
  leave: (connection) => leave(connection, keys, me),
};

/** Every key of a queue. */
const spoiled: readonly string[] = [
  ...keys.lists,
  keys.delayed,
  keys.lease,
  keys.grave,
  keys.meta,
  keys.crashes,
  keys.dead,
  keys.deadIndex,
  keys.ticks,
  ...[me, deceased].flatMap((id) => [keys.held(id), keys.started(id), keys.landing(id, 0)]),
  keys.producer("p"),
  keys.once("k"),
];

export const wrongType: Row = {
  row: "29",
  name: "another program overwrites a key of a queue: each step that meets it says so and changes nothing, other queues go on",
  why: "a script that fails in its middle is not rolled back",
  async run(world) {
    const server = await world.server();
    const admin = adminOf(server);
    const settings = readOptions(server.url);
    const connection = await Connection.open({ settings, clock: systemClock, logger: silentLogger });
    world.defer(() => Promise.resolve(connection.close()));
    let refusals = 0;
    const faults: string[] = [];
    for (const key of spoiled) {
      for (const [name, step] of Object.entries(steps)) {
        await admin("flushall");
        await fill(connection);
        await admin("del", key);
        // A list where there is none, and text where there is one.
        if (key === keys.producer("p") || key === keys.once("k")) await admin("rpush", key, "not ours");
        else await admin("set", key, "not ours");
        const before = await dump(connection);
        const error = await step(connection).then(
          () => undefined,
          (caught: unknown) => caught as { readonly code?: string },
        );
        if (error === undefined) continue;
        refusals += 1;
        const after = await dump(connection);
        // Before it looks after the dead, it renews what is its own.
        const own = name === "renew" && key.includes(deceased) ? [keys.lease, keys.grave, keys.meta] : [];
        if (error.code !== "Q1017") faults.push(`${name} on ${key}: code ${error.code}`);
        if (without(after, own) !== without(before, own)) faults.push(`${name} on ${key}: changed something`);
        await publish(connection, other, { producer: "p", sequence: 1, replicas: 0, pushes: [push(0)] });
      }
    }
    expect(faults).toEqual([]);
    expect(refusals).toBeGreaterThan(spoiled.length);
  },
};

/** A queue with something in every key. */
async function fill(connection: Connection): Promise<void> {
  const batch = { producer: "p", replicas: 0 };
  const ready = Array.from({ length: 8 }, (_, number) => ({ list: number % 4, text: `{"m":${number}}`, delayMs: 0 }));
  await publish(connection, keys, {
    ...batch,
    sequence: 1,
    pushes: [...ready, ...ready.map((one) => ({ ...one, delayMs: 60_000 }))],
  });
  for (const id of [me, deceased]) {
    await enter(connection, keys, { id, leaseMs: 60_000 });
    await claim(connection, keys, { id, most: 2, lists: 1, lastFence: 0 });
    await connection.call("rpush", keys.landing(id, 0), '{"landed":1}');
    await connection.call("hset", keys.started(id), id === me ? tagOf(held) : "4:0", 1);
  }
  await connection.call("zadd", keys.delayed, 1, `${"0".repeat(17)}{"due":1}`);
  await connection.call("zadd", keys.grave, 9e15, "older");
  await connection.call("hset", keys.ticks, "s", 0);
}

async function dump(connection: Connection): Promise<readonly (readonly [name: string, bytes: string])[]> {
  const names = ((await connection.call("keys", "*")) as string[]).toSorted();
  return await Promise.all(
    names.map(async (name) => [name, String(await connection.callBuffer("dump", name))] as const),
  );
}

function without(dumped: readonly (readonly [name: string, bytes: string])[], names: readonly string[]): string {
  return JSON.stringify(dumped.filter(([name]) => !names.includes(name)));
}
