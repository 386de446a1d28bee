import { Logger, makeWorkerUtils, run } from "graphile-worker";
import type { Payload } from "../payload.ts";
import type { Peer, Place, Runner, RunnerOptions, Sender } from "../peer.ts";

const task = "bench.nothing";
/** Those of its documentation's own measurement of speed. */
const poolSettings = { maxPoolSize: 25 };
const workerSettings = { ...poolSettings, localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 };
/** Only what went wrong. It warns where more run at once than it has connections, which it needs few of with a local queue. */
const shownLevels: readonly string[] = ["error"];
const logger = new Logger(() => (level, message) => {
  if (shownLevels.includes(level)) console.error(message);
});

export const graphileWorker: Peer = {
  name: "graphile-worker",
  packages: ["graphile-worker", "pg"],
  settings: { producer: poolSettings, worker: workerSettings },
  share: 0.4,
  hasDelays: true,
  openSender,
  openRunner,
};

function presetOf({ host, port }: Place) {
  return { connectionString: `postgres://postgres@${host}:${port}/postgres`, logger };
}

async function openSender(place: Place): Promise<Sender> {
  const utils = await makeWorkerUtils({ preset: { worker: { ...presetOf(place), ...poolSettings } } });
  await utils.migrate();
  return {
    send: (payload) => utils.addJob(task, payload),
    sendMany: (payloads) => utils.addJobs(payloads.map((payload) => ({ identifier: task, payload }))),
    sendDelayed: (payload, delayMs) => utils.addJob(task, payload, { runAt: new Date(Date.now() + delayMs) }),
    close: async () => utils.release(),
  };
}

async function openRunner(place: Place, { concurrency, onTask }: RunnerOptions): Promise<Runner> {
  const runner = await run({
    preset: { worker: { ...presetOf(place), ...workerSettings, concurrentJobs: concurrency } },
    noHandleSignals: true,
    taskList: { [task]: async (payload) => onTask(payload as Payload) }, // as sent
  });
  return { stop: () => runner.stop() };
}
