import type { FieldName } from "./field-name.ts";
import { growthName } from "./growth-level.ts";
import type { MetricKey } from "./metrics.ts";

/** A figure to be reached: a ratio of q to a peer in the same repeat, or q's own. */
export interface Target {
  readonly workload: string;
  readonly metric: MetricKey;
  /** Name of a peer; `null` for q by itself. */
  readonly against: string | null;
  readonly atLeast?: number;
  readonly atMost?: number;
}

/** Nobody may lose a task because a worker dies. */
const nothingLost: Target = { workload: "killed worker", metric: "lost", against: null, atMost: 0 };

const onRedis: readonly Target[] = [
  { workload: "enqueue, one by one", metric: "perSecond", against: "bullmq", atLeast: 1.2 },
  { workload: "enqueue, one by one", metric: "perSecond", against: "raw-redis", atLeast: 0.8 },
  { workload: "enqueue, 100 in flight", metric: "perSecond", against: "bullmq", atLeast: 5 },
  { workload: "enqueue, 100 in flight", metric: "perSecond", against: "bee-queue", atLeast: 1.5 },
  { workload: "enqueue, bulk", metric: "perSecond", against: "bullmq", atLeast: 6 },
  { workload: "enqueue, bulk", metric: "perSecond", against: "bee-queue", atLeast: 1.7 },
  { workload: "enqueue, bulk", metric: "perSecond", against: "raw-redis", atLeast: 0.35 },
  { workload: "drain, concurrency 1", metric: "perSecond", against: "bullmq", atLeast: 20 },
  { workload: "drain, concurrency 10", metric: "perSecond", against: "bullmq", atLeast: 9 },
  { workload: "drain, concurrency 100", metric: "perSecond", against: "bullmq", atLeast: 7 },
  { workload: "drain, concurrency 100", metric: "perSecond", against: "bee-queue", atLeast: 4 },
  { workload: "drain, concurrency 100", metric: "perSecond", against: "celery-node", atLeast: 10 },
  { workload: "drain, concurrency 100", metric: "perSecond", against: "celery-prefork", atLeast: 40 },
  { workload: "drain, concurrency 100", metric: "perSecond", against: "celery-threads", atLeast: 40 },
  { workload: "drain, concurrency 100", metric: "perSecond", against: "raw-redis", atLeast: 0.4 },
  { workload: "whole life", metric: "commands", against: null, atMost: 0.2 },
  { workload: "whole life", metric: "serverUs", against: "bullmq", atMost: 1 / 8 },
  { workload: "pending tasks", metric: "bytes", against: "bullmq", atMost: 0.7 },
  { workload: "latency of an idle worker", metric: "p50Us", against: "bullmq", atMost: 0.5 },
  { workload: "latency of an idle worker", metric: "p99Us", against: "bullmq", atMost: 0.8 },
  { workload: "latency at 1,000 a second", metric: "p50Us", against: "bullmq", atMost: 0.5 },
  { workload: "latency at 1,000 a second", metric: "p99Us", against: "bullmq", atMost: 0.25 },
  { workload: "lateness of delayed tasks", metric: "p99Us", against: "bullmq", atMost: 0.3 },
  { workload: "start of a worker", metric: "startMs", against: "bullmq", atMost: 1 },
  { workload: "latency at 1,000 a second", metric: "workerMb", against: "bullmq", atMost: 1 },
  nothingLost,
  { workload: growthName("enqueue", 10_000_000), metric: "growth", against: null, atMost: 1.3 },
  { workload: growthName("drain", 10_000_000), metric: "growth", against: null, atMost: 1.3 },
];

/** Of queues of both types. */
const onRabbit: readonly Target[] = [
  { workload: "enqueue, 100 in flight", metric: "perSecond", against: "raw-amqplib", atLeast: 0.9 },
  { workload: "enqueue, bulk", metric: "perSecond", against: "raw-amqplib", atLeast: 0.9 },
  { workload: "drain, concurrency 1", metric: "perSecond", against: "raw-amqplib", atLeast: 5 },
  { workload: "drain, concurrency 10", metric: "perSecond", against: "raw-amqplib", atLeast: 1.7 },
  { workload: "drain, concurrency 100", metric: "perSecond", against: "raw-amqplib", atLeast: 1 },
];

/** A multiple of plainjob only where SQLite itself leaves room for one: one by one and in bulk, rows without any queue are no three times as fast. */
const onSqlite: readonly Target[] = [
  { workload: "enqueue, one by one", metric: "perSecond", against: "raw-sqlite", atLeast: 0.8 },
  { workload: "enqueue, 100 in flight", metric: "perSecond", against: "plainjob", atLeast: 3 },
  { workload: "enqueue, bulk", metric: "perSecond", against: "raw-sqlite", atLeast: 0.35 },
  { workload: "drain, concurrency 1", metric: "perSecond", against: "plainjob", atLeast: 3 },
  { workload: "drain, concurrency 10", metric: "perSecond", against: "plainjob", atLeast: 3 },
  { workload: "drain, concurrency 100", metric: "perSecond", against: "plainjob", atLeast: 3 },
];

export const targets: Readonly<Record<FieldName, readonly Target[]>> = {
  redis: onRedis,
  "amqp-quorum": [...onRabbit, nothingLost],
  "amqp-classic": [
    ...onRabbit,
    { workload: "drain, concurrency 100", metric: "perSecond", against: "celery-prefork", atLeast: 40 },
    { workload: "drain, concurrency 100", metric: "perSecond", against: "celery-threads", atLeast: 40 },
  ],
  sqlite: onSqlite,
  // None is set: another kind of store.
  postgres: [],
};
