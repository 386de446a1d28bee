import type { FieldName } from "./field-name.ts";
import type { AnyPeer, Peer } from "./peer.ts";

/** What all others are compared with. */
export const subject = "q";

type Loaders = Readonly<Record<string, () => Promise<AnyPeer>>>;

/** By the name that stands on the command line. Loaded one at a time: nobody runs with somebody else's client in memory. */
const loaders: Readonly<Record<FieldName, Loaders>> = {
  redis: {
    [subject]: async () => (await import("./peers/q-redis.ts")).qOnRedis,
    bullmq: async () => (await import("./peers/bullmq.ts")).bullmq,
    "bee-queue": async () => (await import("./peers/bee-queue.ts")).beeQueue,
    "celery-node": async () => (await import("./peers/celery-node.ts")).celeryNodeOnRedis,
    "celery-prefork": async () => (await import("./peers/celery.ts")).celeryOnRedis("prefork"),
    "celery-threads": async () => (await import("./peers/celery.ts")).celeryOnRedis("threads"),
    "raw-redis": async () => (await import("./peers/raw-redis.ts")).rawRedis,
    "raw-script": async () => (await import("./peers/raw-redis.ts")).rawScript,
  },
  "amqp-quorum": onRabbit("quorum"),
  "amqp-classic": {
    ...onRabbit("classic"),
    // They cannot use quorum queues.
    "celery-node": async () => (await import("./peers/celery-node.ts")).celeryNodeOnRabbit,
    "celery-prefork": async () => (await import("./peers/celery.ts")).celeryOnRabbit("prefork"),
    "celery-threads": async () => (await import("./peers/celery.ts")).celeryOnRabbit("threads"),
  },
  sqlite: {
    [subject]: async () => (await import("./peers/q-sqlite.ts")).qOnSqlite,
    plainjob: async () => (await import("./peers/plainjob.ts")).plainjob,
    "raw-sqlite": async () => (await import("./peers/raw-sqlite.ts")).rawSqlite,
  },
  postgres: {
    [subject]: async () => (await import("./peers/q-sqlite.ts")).qOnSqlite,
    "graphile-worker": async () => (await import("./peers/graphile-worker.ts")).graphileWorker,
    "pg-boss": async () => (await import("./peers/pg-boss.ts")).pgBoss,
  },
};

function onRabbit(queueType: "quorum" | "classic"): Loaders {
  return {
    [subject]: async () => (await import("./peers/q-amqp.ts")).qOnRabbit(queueType),
    "rabbitmq-client": async () => (await import("./peers/rabbitmq-client.ts")).rabbitmqClient(queueType),
    "raw-amqplib": async () => (await import("./peers/raw-amqplib.ts")).rawAmqplib(queueType),
  };
}

export function peerNames(field: FieldName): readonly string[] {
  return Object.keys(loaders[field]);
}

/** @throws Error for a name that is not known there */
export async function loadAnyPeer(field: FieldName, name: string): Promise<AnyPeer> {
  const load = loaders[field][name];
  if (load === undefined) throw new Error(`no peer is called "${name}": ${peerNames(field).join(", ")}`);
  return await load();
}

/** For a process of its own in node. @throws Error for a name that is not known there, or that of a peer in Python */
export async function loadPeer(field: FieldName, name: string): Promise<Peer> {
  const peer = await loadAnyPeer(field, name);
  if ("python" in peer) throw new Error(`${peer.name} does not run in node`);
  return peer;
}
