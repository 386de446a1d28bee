import { sqlite } from "@q/broker-sqlite";
import type { FilePlace, Peer } from "../peer.ts";
import { openBenchRunner, openBenchSender } from "./q-app.ts";

/** As its users have it, see `q-app.ts`: a send waits for the disk, an ack does not. */
export const qOnSqlite: Peer = {
  name: "q on SQLite",
  packages: ["@q/core", "@q/broker-sqlite"],
  settings: {},
  share: 1,
  hasDelays: true,
  openSender: (place: FilePlace) => openBenchSender(place, brokerOf(place)),
  openRunner: (place: FilePlace, options) => openBenchRunner(place, brokerOf(place), options),
};

function brokerOf({ file }: FilePlace) {
  return sqlite({ path: file });
}
