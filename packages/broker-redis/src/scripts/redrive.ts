import type { Connection } from "../connection.ts";
import type { Envelope } from "../envelope.ts";
import type { QueueKeys } from "../keys.ts";
import { script } from "./script.ts";

/**
 * KEYS dead, dead-index, meta, lists… · ARGV (entry, list, message)…
 * Begins with the LPUSH, so that with memory full nothing changes at all. In a queue without priorities nobody looks into the other lists. The crash count is
 * of another text, and so begins anew.
 */
const redriveScript = script(
  "redrive",
  `redis.call('ZCARD', KEYS[2])
for i = 4, #KEYS do redis.call('LLEN', KEYS[i]) end
local lastList = redis.call('HGET', KEYS[3], 'priorities') == '1' and #KEYS - 4 or 0
local redriven = 0
for i = 1, #ARGV, 3 do
  if redis.call('HEXISTS', KEYS[1], ARGV[i]) == 1 then
    redis.call('LPUSH', KEYS[4 + math.min(ARGV[i + 1], lastList)], ARGV[i + 2])
    redis.call('HDEL', KEYS[1], ARGV[i])
    redis.call('ZREM', KEYS[2], ARGV[i])
    redriven = redriven + 1
  end
end
return redriven`,
);

/** A dead letter as it goes back to its queue. */
export interface Revived extends Envelope {
  readonly entry: string;
}

/** Puts dead letters back at the tail, those that are still there; answers how many. */
export async function redrive(connection: Connection, keys: QueueKeys, letters: readonly Revived[]): Promise<number> {
  return (await connection.run(
    redriveScript,
    [keys.dead, keys.deadIndex, keys.meta, ...keys.lists],
    letters.flatMap(({ entry, list, text }) => [entry, list, text]),
  )) as number; // what the script returns
}
