import type { Connection } from "../connection.ts";
import type { QueueKeys } from "../keys.ts";
import type { Held } from "./claim.ts";
import { numbering } from "./numbering.ts";
import { textOrBytes } from "./packed.ts";
import { script } from "./script.ts";

/**
 * KEYS lease, meta, held, crashes, list, landing · ARGV consumer, number of the list, most, last fence seen
 * What landed was the next of its list, and those behind it are taken along. What landed and is not wanted goes back to the head, and so does what
 * landed for somebody without a lease: when Redis came back with older data, no grave says that something lies there.
 */
const takeLandedScript = script(
  "take-landed",
  `${numbering}local isKnown = redis.call('ZSCORE', KEYS[1], ARGV[1])
local ready = redis.call('LLEN', KEYS[5])
if redis.call('LLEN', KEYS[6]) == 0 then return isKnown and {0, ready} or {-1} end
local paused = redis.call('HGET', KEYS[2], 'paused')
redis.call('HLEN', KEYS[3])
local most = isKnown and not paused and tonumber(ARGV[3]) or 0
local messages = redis.call('RPOP', KEYS[6], 100)
for i = #messages, most + 1, -1 do
  redis.call('RPUSH', KEYS[5], messages[i])
  messages[i] = nil
end
if not isKnown then return {-1} end
if #messages < most then
  for _, message in ipairs(redis.call('RPOP', KEYS[5], most - #messages) or {}) do messages[#messages + 1] = message end
end
ready = redis.call('LLEN', KEYS[5])
if paused then return {0, ready} end
local last = numbered(KEYS[2], #messages, tonumber(ARGV[4]))
local held, crashes, hasSuspects = {}, {}, redis.call('EXISTS', KEYS[4]) == 1
for i, message in ipairs(messages) do
  held[#held + 1] = string.format('%.0f:%s', last - #messages + i, ARGV[2])
  held[#held + 1] = message
  local count = hasSuspects and redis.pcall('HGET', KEYS[4], redis.sha1hex(message))
  crashes[i] = type(count) == 'string' and tonumber(count) or 0
end
redis.call('HSET', KEYS[3], unpack(held))
return {last, ready, hasSuspects and crashes or {}, unpack(messages)}`,
);

/** For so many, a call more costs nothing that counts. */
export const mostTakenAlong = 100;

export interface TakenLanded {
  readonly held: readonly Held[];
  /** How many wait in the same list. */
  readonly ready: number;
}

/**
 * Takes what a wait has brought, and what waits behind it, into the hands of its consumer. `undefined`: its lease is gone, and what landed went
 * back.
 * @param consumer with how many to take, from 1 to `mostTakenAlong`, and the highest fence that it has seen
 */
export async function takeLanded(
  connection: Connection,
  keys: QueueKeys,
  consumer: { readonly id: string; readonly list: number; readonly most: number; readonly lastFence: number },
): Promise<TakenLanded | undefined> {
  const { id, list, most, lastFence } = consumer;
  const named = [keys.lease, keys.meta, keys.held(id), keys.crashes, keys.lists[list] ?? "", keys.landing(id, list)];
  const reply = (await connection.run(takeLandedScript, named, [id, list, most, lastFence], { asBytes: true })) as
    | [-1]
    | [0, ready: number]
    | [last: number, ready: number, crashes: number[], ...messages: Buffer[]]; // what the script returns
  const [last, ready = 0, crashes = [], ...messages] = reply;
  if (last === -1) return undefined;
  const held = messages.map((message, index): Held => ({
    fence: last - messages.length + index + 1,
    list,
    crashes: crashes[index] ?? 0,
    text: textOrBytes(message),
  }));
  return { held, ready };
}
