// q as its users have it, on any broker: leases, fencing, validation and all else that is on by default.
import { createApp, type App, type AppOptions, type Task } from "@q/core";
import type { Payload } from "../payload.ts";
import type { AnyPlace, Runner, RunnerOptions, Sender } from "../peer.ts";

type Broker = NonNullable<AppOptions["broker"]>;

export async function openBenchSender({ queue }: AnyPlace, broker: Broker): Promise<Sender> {
  const { app, task } = createBenchApp({ queue, broker, onTask: () => undefined });
  await app.open();
  return {
    send: (payload) => task.delay(payload),
    sendMany: (payloads) => app.sendMany(payloads.map((payload) => task.signature(payload))),
    sendDelayed: (payload, delayMs) => task.applyAsync(payload, { countdown: `${delayMs}ms` }),
    close: () => app.close(),
  };
}

export async function openBenchRunner(
  { queue }: AnyPlace,
  broker: Broker,
  { concurrency, onTask }: RunnerOptions,
): Promise<Runner> {
  const { app } = createBenchApp({ queue, broker, onTask });
  const worker = app.createWorker({ concurrency });
  await worker.start();
  return {
    stop: async () => {
      await worker.stop();
      await app.close();
    },
  };
}

interface BenchAppOptions {
  readonly queue: string;
  readonly broker: Broker;
  readonly onTask: RunnerOptions["onTask"];
}

function createBenchApp({ queue, broker, onTask }: BenchAppOptions): {
  readonly app: App;
  readonly task: Task<Payload>;
} {
  const app = createApp({ broker, queues: [queue] });
  const task = app.instrumentedTask({ name: "bench.nothing" }, async (payload: Payload) => onTask(payload));
  return { app, task };
}
