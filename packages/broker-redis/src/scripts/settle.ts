import type { DeadReason, Settled } from "@q/core/broker";
import type { Connection } from "../connection.ts";
import type { QueueKeys } from "../keys.ts";
import { tagOf, type Held } from "./claim.ts";
import { wholeDelay } from "./publish.ts";
import { clock, script } from "./script.ts";

/**
 * KEYS lease, held, started, crashes, meta, delayed, dead, dead-index, lists… · ARGV consumer, tags of acks,
 * retention ms, retention count, (kind, tag, list, first, second)…
 * Begins with HDEL, which Redis takes with memory full. A consumer without lease changes nothing: its messages are somebody else's.
 * Kinds: `ack` of a suspect, `requeue` (first: delay, second: new message, if any), `release`, `bury` (first: reason), `start`.
 */
const settleScript = script(
  "settle",
  `if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return {-1} end
local acks = {}
for tag in ARGV[2]:gmatch('%S+') do acks[#acks + 1] = tag end
if #ARGV > 4 then
  for i = 3, 5 do redis.call('HLEN', KEYS[i]) end
  redis.call('ZCARD', KEYS[6]); redis.call('HLEN', KEYS[7]); redis.call('ZCARD', KEYS[8])
  for i = 9, #KEYS do redis.call('LLEN', KEYS[i]) end
end
redis.call('HDEL', KEYS[2], '')
for from = 1, #acks, 1000 do redis.call('HDEL', KEYS[2], unpack(acks, from, math.min(from + 999, #acks))) end
local answers, trimmed = {}, 0
if #ARGV == 4 then return {trimmed, 0, answers} end
${clock}for op = 5, #ARGV, 5 do
  local kind, tag, list, first, second = unpack(ARGV, op, op + 4)
  local message = redis.call('HGET', KEYS[2], tag)
  answers[#answers + 1] = message and 1 or 0
  if message and kind == 'start' then
    redis.call('HSET', KEYS[3], tag, 1)
  elseif message then
    redis.call('HDEL', KEYS[2], tag)
    redis.call('HDEL', KEYS[3], tag)
    if kind ~= 'release' then redis.call('HDEL', KEYS[4], redis.sha1hex(message)) end
    if second == '' then second = message end
    if kind == 'release' then
      redis.call('RPUSH', KEYS[9 + list], message)
    elseif kind == 'requeue' and first == '0' then
      redis.call('LPUSH', KEYS[9 + list], second)
    elseif kind == 'requeue' then
      local seq = redis.call('HINCRBY', KEYS[5], 'delayed', 1)
      redis.call('ZADD', KEYS[6], now + first, string.format('%016.0f', seq) .. list .. second)
    elseif kind == 'bury' then
      local entry = string.format('%016.0f', redis.call('HINCRBY', KEYS[5], 'dead', 1))
      redis.call('HSET', KEYS[7], entry, string.format('%d:%s:%d:', now, list, #first) .. first .. message)
      redis.call('ZADD', KEYS[8], now, entry)
      local old = redis.call('ZRANGEBYSCORE', KEYS[8], '-inf', now - ARGV[3], 'LIMIT', 0, 100)
      local surplus = redis.call('ZCARD', KEYS[8]) - ARGV[4]
      if #old == 0 and surplus > 0 then old = redis.call('ZRANGE', KEYS[8], 0, math.min(surplus, 100) - 1) end
      if #old > 0 then
        redis.call('ZREM', KEYS[8], unpack(old))
        redis.call('HDEL', KEYS[7], unpack(old))
        trimmed = trimmed + #old
      end
    end
  end
end
return {trimmed, redis.call('ZCARD', KEYS[8]), answers}`,
);

/** One settle of a message that is not a plain ack. */
export type Ending =
  | { readonly kind: "ack" | "start" | "release"; readonly fence: number; readonly list: number }
  | {
      readonly kind: "requeue";
      readonly fence: number;
      readonly list: number;
      readonly delayMs: number;
      /** The message as it goes back; empty for as it is stored. */
      readonly text: string;
    }
  | { readonly kind: "bury"; readonly fence: number; readonly list: number; readonly reason: DeadReason };

export interface Retention {
  /** Dead letters older than this are deleted. Milliseconds. */
  readonly maxAgeMs: number;
  /** Beyond so many, the oldest are deleted. */
  readonly maxCount: number;
}

export interface SettleBatch {
  readonly consumerId: string;
  /** Finished messages, except suspects. */
  readonly acks: readonly Pick<Held, "fence" | "list">[];
  readonly endings: readonly Ending[];
  readonly retention: Retention;
}

export interface SettleAnswer {
  /** One for each ending. */
  readonly endings: readonly Settled[];
  /** Dead letters that were deleted for their age or number. */
  readonly trimmed: number;
  readonly dead: number;
}

/** Ends messages. `undefined`: the lease is gone, and nothing was changed. */
export async function settle(
  connection: Connection,
  keys: QueueKeys,
  batch: SettleBatch,
): Promise<SettleAnswer | undefined> {
  const { consumerId, acks, endings, retention } = batch;
  const args: (string | number)[] = [consumerId, acks.map(tagOf).join(" "), retention.maxAgeMs, retention.maxCount];
  for (const ending of endings) args.push(ending.kind, tagOf(ending), ending.list, ...detailsOf(ending));
  const reply = (await connection.run(
    settleScript,
    [
      keys.lease,
      keys.held(consumerId),
      keys.started(consumerId),
      keys.crashes,
      keys.meta,
      keys.delayed,
      keys.dead,
      keys.deadIndex,
      ...keys.lists,
    ],
    args,
  )) as [-1] | [trimmed: number, dead: number, answers: number[]]; // what the script returns
  if (reply[0] === -1) return undefined;
  const [trimmed, dead, answers] = reply as [number, number, number[]];
  return { trimmed, dead, endings: answers.map((found) => (found === 1 ? "settled" : "lost")) };
}

function detailsOf(ending: Ending): [string | number, string] {
  if (ending.kind === "requeue") return [wholeDelay(ending.delayMs), ending.text];
  return [ending.kind === "bury" ? JSON.stringify(ending.reason) : "", ""];
}
