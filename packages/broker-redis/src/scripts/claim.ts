import type { Connection } from "../connection.ts";
import type { QueueKeys } from "../keys.ts";
import { numbering } from "./numbering.ts";
import { packing, unpack } from "./packed.ts";
import { timedScript } from "./script.ts";

/** Delayed messages that one call makes ready at most. The next one comes at once. */
const promotedAtOnce = 200;

/**
 * KEYS lease, meta, delayed, held, crashes, lists…, landings… · ARGV consumer, most, number of lists, promoted at once, last fence seen
 * Takes what landed first: it was the next of its list. What landed and is not wanted goes back to the head.
 */
const claimScript = timedScript(
  "claim",
  `${packing}${numbering}if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return {-1} end
local want, lists = tonumber(ARGV[2]), tonumber(ARGV[3])
local paused = redis.call('HGET', KEYS[2], 'paused')
local due = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now, 'LIMIT', 0, ARGV[4])
local heldBefore = redis.call('HLEN', KEYS[4])
for i = 6, 5 + 2 * lists do redis.call('LLEN', KEYS[i]) end
if paused then
  want = 0
elseif #due > 0 then
  redis.call('ZREM', KEYS[3], unpack(due))
  for _, member in ipairs(due) do
    local list = math.min(tonumber(member:sub(17, 17)) or 0, lists - 1)
    redis.call('LPUSH', KEYS[6 + list], member:sub(18))
  end
end
local messages, counts = {}, {}
for list = 0, lists - 1 do
  local before, landing, ready = #messages, KEYS[6 + lists + list], KEYS[6 + list]
  local landed = redis.call('RPOP', landing, 100) or {}
  local wanted = math.min(#landed, want - before)
  for i = 1, wanted do messages[#messages + 1] = landed[i] end
  for i = #landed, wanted + 1, -1 do redis.call('RPUSH', ready, landed[i]) end
  if #messages < want then
    for _, message in ipairs(redis.call('RPOP', ready, want - #messages) or {}) do messages[#messages + 1] = message end
  end
  counts[list + 1] = #messages - before
end
local last = #messages > 0 and numbered(KEYS[2], #messages, tonumber(ARGV[5])) or 0
local held, index, list = {}, 0, 0
for list = 0, lists - 1 do
  for _ = 1, counts[list + 1] do
    index = index + 1
    held[#held + 1] = string.format('%.0f:%d', last - #messages + index, list)
    held[#held + 1] = messages[index]
  end
end
for from = 1, #held, 1000 do redis.call('HSET', KEYS[4], unpack(held, from, math.min(from + 999, #held))) end
local suspects = {}
if #messages > 0 and redis.call('EXISTS', KEYS[5]) == 1 then
  for i, message in ipairs(messages) do
    local count = redis.pcall('HGET', KEYS[5], redis.sha1hex(message))
    if type(count) == 'string' then
      suspects[#suspects + 1] = i
      suspects[#suspects + 1] = tonumber(count)
    end
  end
end
local nextDue = redis.call('ZRANGE', KEYS[3], 0, 0, 'WITHSCORES')[2]
return {last, paused and 1 or 0, nextDue and math.max(0, nextDue - now) or -1, tonumber(nextDue or 0), counts, suspects, packed(messages), heldBefore}`,
);

/** A message in a consumer's hands, as the store knows it. */
export interface Held {
  /** Grows with each message that is claimed from this queue, so that there is none twice. */
  readonly fence: number;
  readonly list: number;
  /** As it is stored; bytes when it is no UTF-8. */
  readonly text: string | Buffer;
  readonly crashes: number;
}

/** The field under which it is held. */
export function tagOf({ fence, list }: Pick<Held, "fence" | "list">): string {
  return `${fence}:${list}`;
}

export interface Claimed {
  readonly held: readonly Held[];
  /** How many the consumer held before. More than it knows of: the answer to an earlier claim was lost. */
  readonly heldBefore: number;
  readonly paused: boolean;
  /** Milliseconds until the next delayed message is due. */
  readonly nextDueMs: number | undefined;
  /** The same as server time. */
  readonly nextDueAt: number | undefined;
}

type Reply = [
  last: number,
  paused: 0 | 1,
  nextDueMs: number,
  nextDueAt: number,
  counts: number[],
  suspects: number[],
  packed: Buffer | Buffer[],
  heldBefore: number,
];

/**
 * Takes at most `most` messages into the hands of a consumer. `undefined`: its lease is gone, and with it everything it held.
 * @param consumer with the highest fence that it has seen, at first 0
 */
export async function claim(
  connection: Connection,
  keys: QueueKeys,
  consumer: { readonly id: string; readonly most: number; readonly lists: number; readonly lastFence: number },
): Promise<Claimed | undefined> {
  const { id, most, lists, lastFence } = consumer;
  const indexes = Array.from({ length: lists }, (_, index) => index);
  const reply = (await connection.run(
    claimScript,
    [
      keys.lease,
      keys.meta,
      keys.delayed,
      keys.held(id),
      keys.crashes,
      ...indexes.map((index) => keys.lists[index] ?? ""),
      ...indexes.map((index) => keys.landing(id, index)),
    ],
    [id, most, lists, promotedAtOnce, lastFence],
    { asBytes: true },
  )) as [-1] | Reply; // what the script returns
  if (reply[0] === -1) return undefined;
  const [last, paused, nextDueMs, nextDueAt, counts, suspects, packed, heldBefore] = reply as Reply;
  const messages = unpack(packed);
  const crashes = new Map<number, number>();
  for (let at = 0; at < suspects.length; at += 2) crashes.set((suspects[at] ?? 0) - 1, suspects[at + 1] ?? 0);
  const held: Held[] = [];
  counts.forEach((count, list) => {
    for (let taken = 0; taken < count; taken += 1) {
      const index = held.length;
      held.push({
        fence: last - messages.length + index + 1,
        list,
        text: messages[index] ?? "",
        crashes: crashes.get(index) ?? 0,
      });
    }
  });
  const due = nextDueMs === -1 ? { nextDueMs: undefined, nextDueAt: undefined } : { nextDueMs, nextDueAt };
  return { held, heldBefore, paused: paused === 1, ...due };
}
