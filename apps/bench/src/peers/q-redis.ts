import { redis } from "@q/broker-redis";
import type { Peer, Place } from "../peer.ts";
import { openBenchRunner, openBenchSender } from "./q-app.ts";

/** As its users have it, see `q-app.ts`. */
export const qOnRedis: Peer = {
  name: "q",
  packages: ["@q/core", "@q/broker-redis"],
  settings: {},
  share: 1,
  hasDelays: true,
  openSender: (place: Place) => openBenchSender(place, brokerOf(place)),
  openRunner: (place: Place, options) => openBenchRunner(place, brokerOf(place), options),
};

function brokerOf({ host, port }: Place) {
  return redis(`redis://${host}:${port}/0`);
}
