import type { Workload } from "./workload.ts";
import { drain } from "./workloads/drain.ts";
import { enqueue } from "./workloads/enqueue.ts";
import { pendingMemory } from "./workloads/pending-memory.ts";
import { timing } from "./workloads/timing.ts";
import { workerStart } from "./workloads/worker-start.ts";

export const workloads: readonly Workload[] = [
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
