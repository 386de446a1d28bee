import { Queue, Worker } from "bullmq";
import type { Payload } from "../payload.ts";
import type { Peer, Place, Runner, RunnerOptions, Sender } from "../peer.ts";

const name = "bench.nothing";
/** Finished jobs are not kept, as its documentation advises for throughput. */
const jobOptions = { removeOnComplete: true, removeOnFail: true };
/** What it asks of the connection of a worker. */
const workerConnection = { maxRetriesPerRequest: null };

export const bullmq: Peer = {
  name: "BullMQ",
  packages: ["bullmq", "ioredis"],
  settings: { defaultJobOptions: jobOptions, "connection of the worker": workerConnection },
  share: 0.2,
  hasDelays: true,
  openSender,
  openRunner,
};

async function openSender({ host, port, queue: queueName }: Place): Promise<Sender> {
  const queue = new Queue<Payload>(queueName, { connection: { host, port }, defaultJobOptions: jobOptions });
  await queue.waitUntilReady();
  return {
    send: (payload) => queue.add(name, payload),
    sendMany: (payloads) => queue.addBulk(payloads.map((data) => ({ name, data }))),
    sendDelayed: (payload, delay) => queue.add(name, payload, { delay }),
    close: () => queue.close(),
  };
}

async function openRunner({ host, port, queue }: Place, { concurrency, onTask }: RunnerOptions): Promise<Runner> {
  const worker = new Worker<Payload>(queue, async ({ data }) => onTask(data), {
    connection: { host, port, ...workerConnection },
    concurrency,
  });
  await worker.waitUntilReady();
  return { stop: () => worker.close() };
}
