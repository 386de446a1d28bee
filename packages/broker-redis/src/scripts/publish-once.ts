import type { Connection } from "../connection.ts";
import type { QueueKeys } from "../keys.ts";
import { wholeDelay, type Push } from "./publish.ts";
import { timedScript } from "./script.ts";

/**
 * KEYS once, meta, delayed, list · ARGV attempt, ttl, delay, list index, message
 * An own attempt that is sent again writes too, or a WAIT behind it would count replicas that have not heard of it yet.
 * Looks at every key before the first write, so that a key is not marked for a message that could not be stored.
 */
const publishOnceScript = timedScript(
  "publish-once",
  `local used = redis.call('GET', KEYS[1])
if used == ARGV[1] then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return 1
end
if used then return 0 end
redis.call('HLEN', KEYS[2]); redis.call('ZCARD', KEYS[3]); redis.call('LLEN', KEYS[4])
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
if ARGV[3] == '0' then
  redis.call('LPUSH', KEYS[4], ARGV[5])
else
  local seq = redis.call('HINCRBY', KEYS[2], 'delayed', 1)
  redis.call('ZADD', KEYS[3], now + ARGV[3], string.format('%016.0f', seq) .. ARGV[4] .. ARGV[5])
end
return 1`,
);

/** Stores a message unless the key is in use by another attempt. */
export async function publishOnce(
  connection: Connection,
  keys: QueueKeys,
  once: {
    readonly keyHash: string;
    readonly ttlMs: number;
    /** Names this call, however often it is sent. */
    readonly attempt: string;
    readonly push: Push;
    readonly replicas: number;
  },
): Promise<"published" | "duplicate"> {
  const { keyHash, ttlMs, attempt, push, replicas } = once;
  const stored = await connection.run(
    publishOnceScript,
    [keys.once(keyHash), keys.meta, keys.delayed, keys.lists[push.list] ?? keys.lists[0] ?? ""],
    [attempt, Math.max(1, Math.ceil(ttlMs)), wholeDelay(push.delayMs), push.list, push.text],
    { replicas },
  );
  return stored === 1 ? "published" : "duplicate";
}
