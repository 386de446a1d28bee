import PgBoss from "pg-boss";
import type { Payload } from "../payload.ts";
import type { Peer, Place, Runner, RunnerOptions, Sender } from "../peer.ts";

/** Its shortest. A worker that has just run something asks again at once, through `notifyWorker`. */
const workerSettings = { pollingIntervalSeconds: 0.5 };
/** Neither cron nor its maintenance, which are for one of many processes. */
const settings = { schedule: false, supervise: false };

export const pgBoss: Peer = {
  name: "pg-boss",
  packages: ["pg-boss", "pg"],
  settings: {
    ...settings,
    worker: { ...workerSettings, batchSize: "the concurrency", notifyWorker: "after each batch" },
  },
  share: 0.2,
  hasDelays: true,
  openSender,
  openRunner,
};

async function openSender(place: Place): Promise<Sender> {
  const boss = await open(place);
  const { queue } = place;
  return {
    send: (payload) => boss.send(queue, payload),
    sendMany: (payloads) => boss.insert(payloads.map((data) => ({ name: queue, data }))),
    sendDelayed: (payload, delayMs) => boss.send(queue, payload, { startAfter: new Date(Date.now() + delayMs) }),
    close: () => boss.stop(),
  };
}

async function openRunner(place: Place, { concurrency, onTask }: RunnerOptions): Promise<Runner> {
  const boss = await open(place);
  // It is known before the first batch, which has to come from the server.
  const id: string = await boss.work<Payload>(
    place.queue,
    { ...workerSettings, batchSize: concurrency },
    async (jobs) => {
      for (const { data } of jobs) void onTask(data);
      boss.notifyWorker(id);
    },
  );
  return { stop: () => boss.stop() };
}

async function open({ host, port, queue }: Place): Promise<PgBoss> {
  const boss = new PgBoss({ host, port, user: "postgres", database: "postgres", ...settings });
  boss.on("error", (error) => console.error(error));
  await boss.start();
  await boss.createQueue(queue);
  return boss;
}
