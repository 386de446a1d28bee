import { createClient, createWorker } from "celery-node";
import type { Payload } from "../payload.ts";
import type { Peer, Place, Runner, RunnerOptions, Sender } from "../peer.ts";

/** What it has no setting for, and its reader should know. */
const nature = {
  "tasks at once": "all that have come, whatever the concurrency",
  acks: "before a task runs",
  results: "stored of every task, cannot be off",
  log: "two lines for every task, kept from the console",
};
/** Each result gets a queue of its own, which it keeps for a day by default: they would still be there when others are measured. Milliseconds. */
const resultExpires = { CELERY_RESULT_EXPIRES: 100 };

/** What amqplib, its client, advises. Without it a send takes the forty milliseconds of a delayed ack. */
const rabbitConnection = { noDelay: true };

const onRedis: Site = { scheme: "redis", brokerOptions: {}, backendOptions: {} };
const onRabbit: Site = {
  scheme: "amqp",
  brokerOptions: rabbitConnection,
  backendOptions: { ...rabbitConnection, ...resultExpires },
};

export const celeryNodeOnRedis: Peer = {
  ...peerOn(onRedis),
  settings: { ...nature, receive: "one BRPOP at a time" },
  share: 0.2,
};

/** It declares classic queues only. */
export const celeryNodeOnRabbit: Peer = {
  ...peerOn(onRabbit),
  settings: {
    ...nature,
    confirms: "none: a send ends when it is written",
    CELERY_BROKER_OPTIONS: onRabbit.brokerOptions,
    CELERY_BACKEND_OPTIONS: onRabbit.backendOptions,
  },
  share: 0.04,
};

type Client = ReturnType<typeof createClient>;
type Worker = ReturnType<typeof createWorker>;

interface Site {
  readonly scheme: "redis" | "amqp";
  /** Of the connection of tasks. */
  readonly brokerOptions: object;
  /** Of the connection that stores results. */
  readonly backendOptions: object;
}

function peerOn(site: Site): Omit<Peer, "settings" | "share"> {
  return {
    name: "celery-node",
    packages: ["celery-node"],
    hasDelays: false,
    openSender: (place: Place) => openSender(place, site),
    openRunner: (place: Place, options) => openRunner(place, site, options),
  };
}

const taskName = "bench.nothing";

async function openSender({ host, port, queue }: Place, { scheme, ...options }: Site): Promise<Sender> {
  const url = `${scheme}://${host}:${port}`;
  const client = createClient(url, url, queue);
  setOptions(client, options);
  await client.isReady();
  const task = client.createTask(taskName);
  // What a send answers does not tell when the server has it; what it calls does, once for each and in their order.
  const senders: ((published: Promise<unknown>) => void)[] = [];
  const { broker } = client;
  const publish = broker.publish.bind(broker);
  broker.publish = (...message) => {
    const published = publish(...message);
    senders.shift()?.(published);
    return published;
  };
  const send = (payload: Payload): Promise<unknown> =>
    new Promise((resolve) => {
      senders.push(resolve);
      task.applyAsync([payload]);
    });
  return {
    send,
    sendMany: (payloads) => Promise.all(payloads.map(send)),
    close: () => client.disconnect(),
  };
}

async function openRunner(
  { host, port, queue }: Place,
  { scheme, ...options }: Site,
  { onTask }: RunnerOptions,
): Promise<Runner> {
  const url = `${scheme}://${host}:${port}`;
  // This process has nothing else to say.
  console.info = () => undefined;
  const worker = createWorker(url, url, queue);
  setOptions(worker, options);
  worker.register(taskName, onTask);
  await worker.isReady();
  // Nobody waits for the results, which are stored in their order.
  const { backend } = worker;
  const storeResult = backend.storeResult.bind(backend);
  let lastStored: Promise<unknown> = Promise.resolve();
  backend.storeResult = (...result) => (lastStored = storeResult(...result));
  // On Redis it only resolves when it has ended.
  void worker.start();
  return {
    stop: async () => {
      await worker.whenCurrentJobsFinished();
      await lastStored;
      await worker.disconnect();
    },
  };
}

/** It connects with these when it is first used. */
function setOptions({ conf }: Client | Worker, { brokerOptions, backendOptions }: Omit<Site, "scheme">): void {
  conf.CELERY_BROKER_OPTIONS = brokerOptions;
  conf.CELERY_BACKEND_OPTIONS = backendOptions;
}
