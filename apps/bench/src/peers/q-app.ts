// q as its users have it, on any broker: leases, fencing, validation and all else that is on by default.
import { createApp, type App, type AppOptions, type Task } from "@q/core";
import type { Payload } from "../payload.ts";
import type { AnyPlace, Peer, Runner, RunnerOptions, Sender } from "../peer.ts";

type Broker = NonNullable<AppOptions["broker"]>;

/** Of one kind. A peer gets places of its own field, so it may ask for what those have. */
interface BrokerKind {
  brokerOf(place: AnyPlace): Broker;
}

/** What q is on any broker. */
export function onBroker({
  brokerOf,
}: BrokerKind): Pick<Peer, "share" | "hasDelays" | "openSender" | "openRunner" | "createApp"> {
  return {
    share: 1,
    hasDelays: true,
    openSender: (place) => openSender(place, brokerOf(place)),
    openRunner: (place, options) => openRunner(place, brokerOf(place), options),
    createApp: (place, onTask) => createBenchApp({ queue: place.queue, broker: brokerOf(place), onTask }).app,
  };
}

async function openSender({ queue }: AnyPlace, broker: Broker): Promise<Sender> {
  const { app, task } = createBenchApp({ queue, broker, onTask: () => undefined });
  await app.open();
  return {
    send: (payload) => task.delay(payload),
    sendMany: (payloads) => app.sendMany(payloads.map((payload) => task.signature(payload))),
    sendDelayed: (payload, delayMs) => task.applyAsync(payload, { countdown: `${delayMs}ms` }),
    close: () => app.close(),
  };
}

async function openRunner(
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
