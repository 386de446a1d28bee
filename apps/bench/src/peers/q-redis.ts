import { redis } from "@q/broker-redis";
import type { Peer, Place } from "../peer.ts";
import { onBroker } from "./q-app.ts";

/** As its users have it, see `q-app.ts`. */
export const qOnRedis: Peer = {
  name: "q",
  packages: ["@q/core", "@q/broker-redis"],
  settings: {},
  ...onBroker({ brokerOf: ({ host, port }: Place) => redis(`redis://${host}:${port}/0`) }),
};
