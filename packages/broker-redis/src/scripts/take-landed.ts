import type { Connection } from "../connection.ts";
import type { QueueKeys } from "../keys.ts";
import type { Held } from "./claim.ts";
import { textOrBytes } from "./packed.ts";
import { script } from "./script.ts";

/**
 * KEYS lease, meta, held, crashes, list, landing · ARGV consumer, number of the list
 * Takes one. What landed beside it, or in a paused queue, goes back to the head.
 */
const takeLandedScript = script(
  "take-landed",
  `if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return {-1} end
local ready = redis.call('LLEN', KEYS[5])
if redis.call('LLEN', KEYS[6]) == 0 then return {0, ready} end
local paused = redis.call('HGET', KEYS[2], 'paused')
redis.call('HLEN', KEYS[3])
local landed = redis.call('RPOP', KEYS[6], 100)
for i = #landed, paused and 1 or 2, -1 do redis.call('RPUSH', KEYS[5], landed[i]) end
if paused then return {0, ready + #landed} end
local tag, message = redis.call('HINCRBY', KEYS[2], 'tag', 1), landed[1]
redis.call('HSET', KEYS[3], string.format('%.0f:%s', tag, ARGV[2]), message)
local crashes = redis.call('EXISTS', KEYS[4]) == 1 and redis.pcall('HGET', KEYS[4], redis.sha1hex(message))
return {tag, ready + #landed - 1, type(crashes) == 'string' and tonumber(crashes) or 0, message}`,
);

export interface TakenLanded {
  readonly held: Held | undefined;
  /** How many wait in the same list. */
  readonly ready: number;
}

/** Takes what a wait has brought into the hands of its consumer. `undefined`: its lease is gone, and what landed is found in its grave. */
export async function takeLanded(
  connection: Connection,
  keys: QueueKeys,
  { id, list }: { readonly id: string; readonly list: number },
): Promise<TakenLanded | undefined> {
  const named = [keys.lease, keys.meta, keys.held(id), keys.crashes, keys.lists[list] ?? "", keys.landing(id, list)];
  const reply = (await connection.run(takeLandedScript, named, [id, list], { asBytes: true })) as
    | [-1]
    | [0, ready: number]
    | [fence: number, ready: number, crashes: number, message: Buffer]; // what the script returns
  const [fence, ready = 0, crashes = 0, message] = reply;
  if (fence === -1) return undefined;
  const held = message && { tag: `${fence}:${list}`, fence, list, crashes, text: textOrBytes(message) };
  return { held, ready };
}
