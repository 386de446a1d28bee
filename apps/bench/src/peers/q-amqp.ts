import { amqp, type QueueType } from "@q/broker-amqp";
import type { Peer, Place } from "../peer.ts";
import { onBroker } from "./q-app.ts";

/** As its users have it, see `q-app.ts`. */
export function qOnRabbit(queueType: QueueType): Peer {
  return {
    name: "q",
    packages: ["@q/core", "@q/broker-amqp"],
    settings: queueType === "quorum" ? {} : { queueType },
    ...onBroker({ brokerOf: ({ host, port }: Place) => amqp({ url: `amqp://${host}:${port}`, queueType }) }),
  };
}
