import type { Connection } from "../connection.ts";
import { wholeDelay } from "./publish.ts";
import { script, timedScript } from "./script.ts";

/**
 * KEYS lease · ARGV token, ttl
 * The fence is at least the time: it grows even when a failover has lost the last one. Begins with HDEL, so that locks go on with memory full.
 */
const acquireScript = timedScript(
  "acquire-lease",
  `redis.call('HDEL', KEYS[1], '')
local holder, ends, last = unpack(redis.call('HMGET', KEYS[1], 'holder', 'ends', 'fence'))
if holder and now < tonumber(ends) then return 0 end
local fence = math.max(now, tonumber(last or 0) + 1)
redis.call('HSET', KEYS[1], 'holder', ARGV[1], 'ends', now + ARGV[2], 'fence', fence)
return fence`,
);

/** KEYS lease · ARGV token, ttl. Also a lease that has run out, as long as nobody else has taken it. */
const renewScript = timedScript(
  "renew-lease",
  `redis.call('HDEL', KEYS[1], '')
if redis.call('HGET', KEYS[1], 'holder') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'ends', now + ARGV[2])
return 1`,
);

/** KEYS lease · ARGV token. The fence stays. */
const releaseScript = script(
  "release-lease",
  `if redis.call('HGET', KEYS[1], 'holder') ~= ARGV[1] then return 0 end
return redis.call('HDEL', KEYS[1], 'holder', 'ends')`,
);

/** A named lock as one attempt to have it. */
export interface Claim {
  readonly key: string;
  /** Of this attempt alone. */
  readonly token: string;
  readonly ttlMs: number;
}

/** The fence, or `undefined` when somebody else has the lock. */
export async function acquireLease(connection: Connection, { key, token, ttlMs }: Claim): Promise<number | undefined> {
  const fence = (await connection.run(acquireScript, [key], [token, wholeDelay(ttlMs)])) as number; // what the script returns
  return fence === 0 ? undefined : fence;
}

/** Whether the lock is still ours. */
export async function renewLease(connection: Connection, { key, token, ttlMs }: Claim): Promise<boolean> {
  return (await connection.run(renewScript, [key], [token, wholeDelay(ttlMs)])) === 1;
}

/** Lets the next one have it. */
export async function releaseLease(connection: Connection, { key, token }: Claim): Promise<void> {
  await connection.run(releaseScript, [key], [token]);
}
