import Queue from "bee-queue";
import type { Payload } from "../payload.ts";
import type { Peer, Place, Runner, RunnerOptions, Sender } from "../peer.ts";

/** Its documentation names these for those who need neither events nor finished jobs. */
const settings = {
  getEvents: false,
  sendEvents: false,
  storeJobs: false,
  removeOnSuccess: true,
  removeOnFailure: true,
};
/** Its default; its documentation wants the checks to be as far apart. Milliseconds. */
const stallInterval = 5000;
const senderSettings = { ...settings, isWorker: false };
const runnerSettings = { ...settings, isWorker: true, activateDelayedJobs: true, stallInterval };

export const beeQueue: Peer = {
  name: "bee-queue",
  packages: ["bee-queue"],
  settings: { producer: senderSettings, worker: runnerSettings },
  share: 0.4,
  hasDelays: true,
  openSender,
  openRunner,
};

async function openSender({ host, port, queue: name }: Place): Promise<Sender> {
  const queue = await new Queue<Payload>(name, { ...senderSettings, redis: { host, port } }).ready();
  return {
    send: (payload) => queue.createJob(payload).save(),
    sendMany: async (payloads) => {
      const failures = await queue.saveAll(payloads.map((payload) => queue.createJob(payload)));
      for (const failure of failures.values()) throw failure;
    },
    sendDelayed: (payload, delayMs) =>
      queue
        .createJob(payload)
        .delayUntil(Date.now() + delayMs)
        .save(),
    close: () => queue.close(),
  };
}

async function openRunner({ host, port, queue: name }: Place, { concurrency, onTask }: RunnerOptions): Promise<Runner> {
  const queue = await new Queue<Payload>(name, { ...runnerSettings, redis: { host, port } }).ready();
  // Tasks of a worker that dies do not come back unless somebody looks for them.
  await queue.checkStalledJobs(stallInterval);
  queue.process(concurrency, async ({ data }) => onTask(data));
  return { stop: () => queue.close() };
}
