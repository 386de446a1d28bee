import type { Connection } from "../connection.ts";
import type { QueueKeys } from "../keys.ts";
import { timedScript } from "./script.ts";

/** KEYS lease, held · ARGV consumer, lease ms. Begins with a write that needs no memory, so that a full server can still be drained. */
const enterScript = timedScript(
  "enter",
  `redis.call('HDEL', KEYS[2], '')
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
return 1`,
);

/** Gives a consumer its first lease: from now on it may hold messages. */
export async function enter(
  connection: Connection,
  keys: QueueKeys,
  consumer: { readonly id: string; readonly leaseMs: number },
): Promise<void> {
  await connection.run(enterScript, [keys.lease, keys.held(consumer.id)], [consumer.id, consumer.leaseMs]);
}
