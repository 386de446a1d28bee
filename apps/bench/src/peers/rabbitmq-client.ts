import { once } from "node:events";
import { Connection } from "rabbitmq-client";
import type { Payload } from "../payload.ts";
import type { Peer, Place, Runner, RunnerOptions, Sender } from "../peer.ts";

/** As the examples of its documentation have it, and for the worker what its reference calls best for performance. */
const publisherSettings = { confirm: true, maxAttempts: 2 };
const prefetchPerSlot = 2;

export function rabbitmqClient(queueType: "quorum" | "classic"): Peer {
  const queueSettings = { durable: true, arguments: { "x-queue-type": queueType } };
  return {
    name: "rabbitmq-client",
    packages: ["rabbitmq-client"],
    settings: {
      publisher: publisherSettings,
      queue: queueSettings,
      message: { durable: true },
      "prefetch of a slot": prefetchPerSlot,
    },
    share: 0.4,
    hasDelays: false,
    openSender,
    openRunner,
  };

  async function openSender({ queue, ...place }: Place): Promise<Sender> {
    const connection = connect(place);
    const publisher = connection.createPublisher({ ...publisherSettings, queues: [{ queue, ...queueSettings }] });
    const send = (payload: Payload): Promise<void> => publisher.send({ routingKey: queue, durable: true }, payload);
    await connection.onConnect();
    return {
      send,
      sendMany: (payloads) => Promise.all(payloads.map(send)),
      close: async () => {
        await publisher.close();
        await connection.close();
      },
    };
  }

  async function openRunner({ queue, ...place }: Place, { concurrency, onTask }: RunnerOptions): Promise<Runner> {
    const connection = connect(place);
    const consumer = connection.createConsumer(
      { queue, queueOptions: queueSettings, concurrency, qos: { prefetchCount: concurrency * prefetchPerSlot } },
      async ({ body }) => onTask(body as Payload), // of this bench
    );
    await once(consumer, "ready");
    return {
      stop: async () => {
        await consumer.close();
        await connection.close();
      },
    };
  }
}

function connect({ host: hostname, port }: Omit<Place, "queue">): Connection {
  const connection = new Connection({ hostname, port, username: "guest", password: "guest" });
  // It tries again by itself; a bench that goes on without its server is none.
  connection.on("error", (error: unknown) => {
    throw error;
  });
  return connection;
}
