import type { FieldName } from "./field-name.ts";
import type { Peer } from "./peer.ts";

/** What all others are compared with. */
export const subject = "q";

type Loaders = Readonly<Record<string, () => Promise<Peer>>>;

/** By the name that stands on the command line. Loaded one at a time: nobody runs with somebody else's client in memory. */
const loaders: Readonly<Record<FieldName, Loaders>> = {
  redis: {
    [subject]: async () => (await import("./peers/q-redis.ts")).qOnRedis,
    bullmq: async () => (await import("./peers/bullmq.ts")).bullmq,
    "bee-queue": async () => (await import("./peers/bee-queue.ts")).beeQueue,
    "celery-node": async () => (await import("./peers/celery-node.ts")).celeryNodeOnRedis,
    "raw-redis": async () => (await import("./peers/raw-redis.ts")).rawRedis,
  },
  "amqp-quorum": onRabbit("quorum"),
  "amqp-classic": {
    ...onRabbit("classic"),
    // They cannot use quorum queues.
    "celery-node": async () => (await import("./peers/celery-node.ts")).celeryNodeOnRabbit,
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
export async function loadPeer(field: FieldName, name: string): Promise<Peer> {
  const load = loaders[field][name];
  if (load === undefined) throw new Error(`no peer is called "${name}": ${peerNames(field).join(", ")}`);
  return await load();
}
