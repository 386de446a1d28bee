import { redis } from "@q/broker-redis";
import { createApp, type App, type Task } from "@q/core";
import type { Payload } from "../payload.ts";
import type { Peer, Place, Runner, RunnerOptions, Sender } from "../peer.ts";

/** As its users have it: leases, fencing, validation and all else that is on by default. */
export const q: Peer = {
  name: "q",
  packages: ["@q/core", "@q/broker-redis"],
  settings: {},
  share: 1,
  hasDelays: true,
  openSender,
  openRunner,
};

async function openSender(place: Place): Promise<Sender> {
  const { app, task } = createBenchApp(place, () => undefined);
  await app.open();
  return {
    send: (payload) => task.delay(payload),
    sendMany: (payloads) => app.sendMany(payloads.map((payload) => task.signature(payload))),
    sendDelayed: (payload, delayMs) => task.applyAsync(payload, { countdown: `${delayMs}ms` }),
    close: () => app.close(),
  };
}

async function openRunner(place: Place, { concurrency, onTask }: RunnerOptions): Promise<Runner> {
  const { app } = createBenchApp(place, onTask);
  const worker = app.createWorker({ concurrency });
  await worker.start();
  return {
    stop: async () => {
      await worker.stop();
      await app.close();
    },
  };
}

function createBenchApp(
  { host, port, queue }: Place,
  onTask: (payload: Payload) => void,
): { readonly app: App; readonly task: Task<Payload> } {
  const app = createApp({ broker: redis(`redis://${host}:${port}/0`), queues: [queue] });
  const task = app.instrumentedTask({ name: "bench.nothing" }, async (payload: Payload) => onTask(payload));
  return { app, task };
}
