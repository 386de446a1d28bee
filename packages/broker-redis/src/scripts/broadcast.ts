import type { Connection } from "../connection.ts";
import { script } from "./script.ts";

/** KEYS any key, which is left alone: it says which server of a cluster to ask · ARGV channel, payload */
const broadcastScript = script("broadcast", `return redis.call('PUBLISH', ARGV[1], ARGV[2])`);

/** Sends to whoever listens. Always by the server of `key`, because what several servers of a cluster send overtakes each other. */
export async function broadcast(
  connection: Connection,
  sending: { readonly key: string; readonly channel: string; readonly payload: string },
): Promise<void> {
  const { key, channel, payload } = sending;
  await connection.run(broadcastScript, [key], [channel, payload]);
}
