import type { FieldName } from "./field-name.ts";
import { growthLevels } from "./growth-level.ts";
import { subject } from "./peers.ts";
import type { Size, Workload } from "./workload.ts";
import { drain } from "./workloads/drain.ts";
import { enqueue } from "./workloads/enqueue.ts";
import { growthOfRuns, growthOfSends } from "./workloads/growth.ts";
import { restingWorker } from "./workloads/resting-worker.ts";
import { killedWorker } from "./workloads/killed-worker.ts";
import { lateness } from "./workloads/lateness.ts";
import { payloads } from "./workloads/payloads.ts";
import { compressedMemory, pendingMemory } from "./workloads/pending-memory.ts";
import { processes } from "./workloads/processes.ts";
import { timing } from "./workloads/timing.ts";
import { workerStart } from "./workloads/worker-start.ts";

/** What is no part of a quick run, and needs fewer repeats. */
const rare = { isForFullRuns: true, mostRepeats: 2 };

/** A quick run is to take less than two minutes on all fields, so it has the most telling ones only. */
function inFullRuns(workload: Workload): Workload {
  return { ...workload, isForFullRuns: true };
}

/** The limits that no library can pass say nothing here. */
function amongLibraries(workload: Workload): Workload {
  return { ...workload, ...rare, peers: [subject, "bullmq", "bee-queue", "rabbitmq-client"] };
}

/** A thousand a second, each sent before. */
function lateOnes(size: Size): Workload {
  return lateness("lateness of delayed tasks", 1000, size);
}

/** More than a slow worker can take. */
const manyLateOnes = lateness("lateness of delayed tasks, 10,000 a second", 10_000, { quick: 10_000, full: 100_000 });

/** Of q alone, which is compared with itself; and few tasks right after the most, so that both find the machine in the same state. */
function growthUpTo(most: number, size: Size): readonly Workload[] {
  const [few, ...more] = growthLevels.filter((level) => level <= most);
  const levels = few === undefined ? more : [...more, few];
  return [growthOfSends, growthOfRuns].flatMap((growth) =>
    levels.map((pending) => ({ ...growth(pending, size), ...rare, peers: [subject] })),
  );
}

const onRedis: readonly Workload[] = [
  inFullRuns(enqueue("one by one", { quick: 4000, full: 20_000 })),
  enqueue("100 in flight", { quick: 20_000, full: 100_000 }),
  enqueue("bulk", { quick: 20_000, full: 100_000 }),
  inFullRuns(drain(1, { quick: 10_000, full: 100_000 })),
  inFullRuns(drain(10, { quick: 20_000, full: 100_000 })),
  drain(100, { quick: 20_000, full: 100_000 }),
  timing("latency of an idle worker", "paced", { quick: 90, full: 1000 }),
  inFullRuns(timing("latency at 1,000 a second", "steady", { quick: 1500, full: 10_000 })),
  inFullRuns(lateOnes({ quick: 1500, full: 10_000 })),
  amongLibraries(manyLateOnes),
  workerStart,
  inFullRuns(pendingMemory),
  { ...compressedMemory, ...rare, peers: [subject] },
  ...[1000, 10_000].flatMap((bytes) => payloads(bytes, { quick: 5000, full: 20_000 }).map(amongLibraries)),
  ...[2, 4].map((workers) => amongLibraries(processes(workers, { quick: 20_000, full: 100_000 }))),
  amongLibraries(restingWorker),
  amongLibraries(killedWorker),
  ...growthUpTo(10_000_000, { quick: 5000, full: 30_000 }),
];

/** A confirm goes to the disk, so there are fewer tasks. Few peers delay tasks, and memory says little of what lies on a disk. */
const onRabbit: readonly Workload[] = [
  inFullRuns(enqueue("one by one", { quick: 400, full: 2000 })),
  enqueue("100 in flight", { quick: 4000, full: 30_000 }),
  inFullRuns(enqueue("bulk", { quick: 4000, full: 30_000 })),
  inFullRuns(drain(1, { quick: 8000, full: 50_000 })),
  inFullRuns(drain(10, { quick: 8000, full: 50_000 })),
  drain(100, { quick: 8000, full: 50_000 }),
  inFullRuns(timing("latency of an idle worker", "paced", { quick: 90, full: 500 })),
  inFullRuns(timing("latency at 1,000 a second", "steady", { quick: 900, full: 5000 })),
  inFullRuns(workerStart),
];

/** What depends little on the type of a queue is measured with one of them. */
const onQuorum: readonly Workload[] = [
  ...onRabbit,
  ...[1000, 10_000].flatMap((bytes) => payloads(bytes, { quick: 2000, full: 10_000 }).map(amongLibraries)),
  ...[2, 4].map((workers) => amongLibraries(processes(workers, { quick: 8000, full: 50_000 }))),
  amongLibraries(restingWorker),
  amongLibraries(killedWorker),
  ...growthUpTo(100_000, { quick: 2000, full: 10_000 }),
];

/** Every task waits for the disk that is sent by itself. There is no server whose memory could grow. */
const onSqlite: readonly Workload[] = [
  inFullRuns(enqueue("one by one", { quick: 3000, full: 8000 })),
  enqueue("100 in flight", { quick: 10_000, full: 40_000 }),
  enqueue("bulk", { quick: 20_000, full: 100_000 }),
  inFullRuns(drain(1, { quick: 20_000, full: 60_000 })),
  drain(10, { quick: 20_000, full: 60_000 }),
  inFullRuns(drain(100, { quick: 20_000, full: 60_000 })),
  inFullRuns(timing("latency of an idle worker", "paced", { quick: 90, full: 300 })),
  inFullRuns(timing("latency at 1,000 a second", "steady", { quick: 900, full: 3000 })),
  inFullRuns(lateOnes({ quick: 900, full: 3000 })),
  inFullRuns(workerStart),
];

/** The same with fewer tasks, as each costs its peers more. */
const onPostgres: readonly Workload[] = [
  inFullRuns(enqueue("one by one", { quick: 600, full: 1500 })),
  enqueue("100 in flight", { quick: 3000, full: 8000 }),
  inFullRuns(enqueue("bulk", { quick: 20_000, full: 50_000 })),
  inFullRuns(drain(1, { quick: 2000, full: 5000 })),
  drain(10, { quick: 10_000, full: 25_000 }),
  inFullRuns(drain(100, { quick: 10_000, full: 25_000 })),
  inFullRuns(timing("latency of an idle worker", "paced", { quick: 90, full: 250 })),
  inFullRuns(timing("latency at 1,000 a second", "steady", { quick: 600, full: 1500 })),
  inFullRuns(lateOnes({ quick: 900, full: 2000 })),
  inFullRuns(workerStart),
];

export const workloads: Readonly<Record<FieldName, readonly Workload[]>> = {
  redis: onRedis,
  "amqp-quorum": onQuorum,
  "amqp-classic": onRabbit,
  sqlite: onSqlite,
  postgres: onPostgres,
};
