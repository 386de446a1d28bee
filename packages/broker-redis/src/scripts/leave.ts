import type { Connection } from "../connection.ts";
import type { QueueKeys } from "../keys.ts";
import { drain } from "./drain.ts";
import { timedScript } from "./script.ts";

/** Messages that one call gives back at most. */
const movedAtOnce = 1000;

/**
 * KEYS lists ×4, crashes, delayed, meta, lease, grave · ARGV consumer, own, budget
 * Gives back, uncounted, and ends the lease with the last message. A wait that Redis has not forgotten may still land something: whoever looks
 * into the graves finds it.
 */
const leaveScript = timedScript(
  "leave",
  `local own = ARGV[2]
${drain}
for i = 1, 4 do redis.call('LLEN', KEYS[i]) end
redis.call('HLEN', KEYS[5])
for _, i in ipairs({6, 8, 9}) do redis.call('ZCARD', KEYS[i]) end
redis.call('HDEL', KEYS[7], '')
local moved = drain(ARGV[1], false, tonumber(ARGV[3]), 0)
if moved < tonumber(ARGV[3]) and redis.call('ZREM', KEYS[8], ARGV[1]) == 1 then redis.call('ZADD', KEYS[9], now + 60000, ARGV[1]) end
return moved`,
);

/** Gives back everything that a consumer holds, unchanged and to the head, and ends its lease. */
export async function leave(connection: Connection, keys: QueueKeys, consumerId: string): Promise<void> {
  const named = [...keys.lists, keys.crashes, keys.delayed, keys.meta, keys.lease, keys.grave];
  for (;;) {
    const moved = (await connection.run(leaveScript, named, [consumerId, keys.consumers, movedAtOnce])) as number; // what the script returns
    if (moved < movedAtOnce) return;
  }
}
