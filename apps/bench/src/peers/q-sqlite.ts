import { sqlite } from "@q/broker-sqlite";
import type { FilePlace, Peer } from "../peer.ts";
import { onBroker } from "./q-app.ts";

/** As its users have it, see `q-app.ts`: a send waits for the disk, an ack does not. */
export const qOnSqlite: Peer = {
  name: "q on SQLite",
  packages: ["@q/core", "@q/broker-sqlite"],
  settings: {},
  ...onBroker({ brokerOf: ({ file }: FilePlace) => sqlite({ path: file }) }),
};
