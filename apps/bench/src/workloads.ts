import type { FieldName } from "./field-name.ts";
import type { Workload } from "./workload.ts";
import { drain } from "./workloads/drain.ts";
import { enqueue } from "./workloads/enqueue.ts";
import { pendingMemory } from "./workloads/pending-memory.ts";
import { timing } from "./workloads/timing.ts";
import { workerStart } from "./workloads/worker-start.ts";

const onRedis: readonly Workload[] = [
  enqueue("one by one", { quick: 4000, full: 20_000 }),
  enqueue("100 in flight", { quick: 20_000, full: 100_000 }),
  enqueue("bulk", { quick: 20_000, full: 100_000 }),
  drain(1, { quick: 10_000, full: 100_000 }),
  drain(10, { quick: 20_000, full: 100_000 }),
  drain(100, { quick: 20_000, full: 100_000 }),
  timing("latency of an idle worker", "paced", { quick: 150, full: 1000 }),
  timing("latency at 1,000 a second", "steady", { quick: 1500, full: 10_000 }),
  timing("lateness of delayed tasks", "delayed", { quick: 1500, full: 10_000 }),
  workerStart,
  pendingMemory,
];

/** A confirm goes to the disk, so there are fewer tasks. No peer delays tasks, and memory says little of what lies on a disk. */
const onRabbit: readonly Workload[] = [
  enqueue("one by one", { quick: 400, full: 2000 }),
  enqueue("100 in flight", { quick: 4000, full: 30_000 }),
  enqueue("bulk", { quick: 4000, full: 30_000 }),
  drain(1, { quick: 8000, full: 50_000 }),
  drain(10, { quick: 8000, full: 50_000 }),
  drain(100, { quick: 8000, full: 50_000 }),
  timing("latency of an idle worker", "paced", { quick: 90, full: 500 }),
  timing("latency at 1,000 a second", "steady", { quick: 900, full: 5000 }),
  workerStart,
];

export const workloads: Readonly<Record<FieldName, readonly Workload[]>> = {
  redis: onRedis,
  "amqp-quorum": onRabbit,
  "amqp-classic": onRabbit,
};
