import type { Connection } from "../connection.ts";
import type { QueueKeys } from "../keys.ts";
import { producerTtlMs, wholeDelay, type Push } from "./publish.ts";
import { timedScript } from "./script.ts";

/**
 * KEYS once, attempt, meta, delayed, list · ARGV ttl, attempt's ttl, delay, list index, message
 * An attempt that is sent again is known by itself: the key may have run out since, or be in use by another one. It writes too, or a WAIT behind it
 * would count replicas that have not heard of it yet.
 * Looks at every key before the first write, so that a key is not marked for a message that could not be stored.
 */
const publishOnceScript = timedScript(
  "publish-once",
  `if redis.call('GET', KEYS[2]) then
  redis.call('PEXPIRE', KEYS[2], ARGV[2])
  return 1
end
if redis.call('GET', KEYS[1]) then return 0 end
redis.call('HLEN', KEYS[3]); redis.call('ZCARD', KEYS[4]); redis.call('LLEN', KEYS[5])
redis.call('SET', KEYS[1], 1, 'PX', ARGV[1])
redis.call('SET', KEYS[2], 1, 'PX', ARGV[2])
if ARGV[3] == '0' then
  redis.call('LPUSH', KEYS[5], ARGV[5])
else
  local seq = redis.call('HINCRBY', KEYS[3], 'delayed', 1)
  redis.call('ZADD', KEYS[4], now + ARGV[3], string.format('%016.0f', seq) .. ARGV[4] .. ARGV[5])
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
  const list = keys.lists[push.list] ?? keys.lists[0] ?? "";
  const stored = await connection.run(
    publishOnceScript,
    [keys.once(keyHash), keys.producer(attempt), keys.meta, keys.delayed, list],
    [Math.max(1, Math.ceil(ttlMs)), producerTtlMs, wholeDelay(push.delayMs), push.list, push.text],
    { replicas },
  );
  return stored === 1 ? "published" : "duplicate";
}
