import type { Connection } from "../connection.ts";
import type { QueueKeys } from "../keys.ts";
import { graveMs } from "./renew.ts";
import { timedScript } from "./script.ts";

/**
 * KEYS lease, held, grave, trial · ARGV consumer, lease ms, who it was before, grave ms
 * Begins with a write that needs no memory, so that a full server can still be drained. Then tries every command that puts down what another one has
 * taken up: Redis takes nothing back when a user lacks the right to one of them in the midst of a script, and what was taken up would be gone.
 * What it was before gets a grave, if nobody has dug one: a Redis that came back with older data knows nothing of it, and its wait may still land
 * something.
 */
const enterScript = timedScript(
  "enter",
  `local forgotten = ARGV[3] ~= '' and not redis.call('ZSCORE', KEYS[1], ARGV[3])
redis.call('ZCARD', KEYS[3])
redis.call('HDEL', KEYS[2], '')
redis.call('DEL', KEYS[4])
local refusal
local function try(...)
  local answer = redis.pcall(...)
  if type(answer) == 'table' and answer.err then refusal = answer end
end
try('HSET', KEYS[4], '', 1)
try('HINCRBY', KEYS[4], '', 1)
redis.call('DEL', KEYS[4])
try('LPUSH', KEYS[4], '')
try('RPUSH', KEYS[4], '')
redis.call('DEL', KEYS[4])
if refusal then return refusal end
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
if forgotten then redis.call('ZADD', KEYS[3], 'NX', now + ARGV[4], ARGV[3]) end
return 1`,
);

/**
 * Gives a consumer its first lease: from now on it may hold messages. `Q1018`: this user may not do all that it needs for that.
 * @param consumer with the id that it had before, when that has lost its lease
 */
export async function enter(
  connection: Connection,
  keys: QueueKeys,
  consumer: { readonly id: string; readonly leaseMs: number; readonly before?: string | undefined },
): Promise<void> {
  const { id, leaseMs, before = "" } = consumer;
  await connection.run(
    enterScript,
    [keys.lease, keys.held(id), keys.grave, keys.trial(id)],
    [id, leaseMs, before, graveMs],
  );
}
