import type { Workload } from "./workload.ts";
import { drain } from "./workloads/drain.ts";
import { enqueue } from "./workloads/enqueue.ts";
import { idleLatency } from "./workloads/idle-latency.ts";
import { pendingMemory } from "./workloads/pending-memory.ts";

export const workloads: readonly Workload[] = [
  enqueue("one by one", { quick: 4000, full: 20_000 }),
  enqueue("100 in flight", { quick: 20_000, full: 100_000 }),
  enqueue("bulk", { quick: 20_000, full: 100_000 }),
  drain(1, { quick: 10_000, full: 100_000 }),
  drain(10, { quick: 20_000, full: 100_000 }),
  drain(100, { quick: 20_000, full: 100_000 }),
  idleLatency,
  pendingMemory,
];
