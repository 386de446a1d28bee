import type { Connection } from "../connection.ts";
import type { QueueKeys } from "../keys.ts";
import { script } from "./script.ts";

/** KEYS dead, dead-index · ARGV entries… Needs no memory. */
const dropScript = script(
  "drop",
  `redis.call('ZCARD', KEYS[2])
local dropped = redis.call('HDEL', KEYS[1], unpack(ARGV))
redis.call('ZREM', KEYS[2], unpack(ARGV))
return dropped`,
);

/** Deletes dead letters, at most a few thousand; answers how many there were. */
export async function drop(connection: Connection, keys: QueueKeys, entries: readonly string[]): Promise<number> {
  return (await connection.run(dropScript, [keys.dead, keys.deadIndex], entries)) as number; // what the script returns
}
