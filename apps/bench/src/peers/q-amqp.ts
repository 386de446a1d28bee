import { amqp, type QueueType } from "@q/broker-amqp";
import type { Peer, Place } from "../peer.ts";
import { openBenchRunner, openBenchSender } from "./q-app.ts";

/** As its users have it, see `q-app.ts`. */
export function qOnRabbit(queueType: QueueType): Peer {
  const brokerOf = ({ host, port }: Place) => amqp({ url: `amqp://${host}:${port}`, queueType });
  return {
    name: "q",
    packages: ["@q/core", "@q/broker-amqp"],
    settings: queueType === "quorum" ? {} : { queueType },
    share: 1,
    hasDelays: true,
    openSender: (place: Place) => openBenchSender(place, brokerOf(place)),
    openRunner: (place: Place, options) => openBenchRunner(place, brokerOf(place), options),
  };
}
