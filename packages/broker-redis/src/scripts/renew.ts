import type { Connection } from "../connection.ts";
import type { QueueKeys } from "../keys.ts";
import { drain } from "./drain.ts";
import { timedScript } from "./script.ts";

/** Messages of dead consumers that one call moves at most, roughly. */
const movedAtOnce = 500;
/** Graves that one call looks into at most, beside those of consumers that have just died. */
const looksAtOnce = 300;
/** How long Redis looks for what arrives in the name of a dead consumer. Milliseconds. */
export const graveMs = 3_600_000;

/**
 * KEYS lists ×4, crashes, delayed, meta, lease, grave · ARGV consumer, lease, silence, own, crash delay, budget, grave, known dead…
 *
 * Renews a lease and buries whose lease ran out. When nobody was heard for longer than the silence allowed, or the clock went back, Redis itself was away:
 * then nobody loses anything before everybody had the time of a lease to be heard again. That is the longest one, as not all need have the same: it is
 * remembered until nobody with it was heard for that time. What was given is not taken back when Redis soon is away again.
 *
 * Who was buried has no time to be forgotten, `+inf`, until its grave was emptied: whatever it held goes back at once, and maybe with several calls. What
 * arrives afterwards is found by looking into the graves, a few hundred with each beat and those behind them with the next one: `looked` says how many
 * of them this round has seen. A grave is forgotten after a last look into it.
 *
 * Workers that come and go are silent as well in between, and give time anew whenever one comes. So a lease that has run out grows old, by the time in
 * which somebody is heard and by a beat, 0.4 of what is allowed, for each silence. When it is as old as three of the longest are long, its consumer is
 * dead, whatever was given since: who lives is heard long before, also when Redis comes and goes. `aged` is the grace up to which this is known: earlier
 * versions leave a lease as it is.
 */
const renewScript = timedScript(
  "renew",
  `local own = ARGV[4]
${drain}
for i = 1, 4 do redis.call('LLEN', KEYS[i]) end
redis.call('HLEN', KEYS[5]); redis.call('ZCARD', KEYS[6])
local alive = redis.call('ZSCORE', KEYS[8], ARGV[1])
redis.call('ZCARD', KEYS[9])
redis.call('HDEL', KEYS[7], '')
local last, grace, longest, heard, aged, first = unpack(redis.call('HMGET', KEYS[7], 'beat', 'grace', 'longest', 'heard', 'aged', 'looked'))
last, grace, longest = tonumber(last or now), tonumber(grace or 0), tonumber(longest or 0)
heard, aged = tonumber(heard or 0), tonumber(aged or 0)
local lease = tonumber(ARGV[2])
if lease >= longest or last - heard > longest then longest, heard = lease, now end
local wentBack = now < last - 1000
if wentBack or now - last > tonumber(ARGV[3]) then
  local ended = wentBack and {} or redis.call('ZRANGEBYSCORE', KEYS[8], '-inf', now, 'WITHSCORES')
  for i = 1, #ended, 2 do
    local at = tonumber(ended[i + 1])
    at = (at > last or aged ~= grace) and now or at + now - last - 0.4 * ARGV[3]
    redis.call('ZADD', KEYS[8], at, ended[i])
  end
  grace = math.max(wentBack and 0 or grace, now + longest)
  aged = grace
  redis.call('HSET', KEYS[7], 'grace', grace, 'aged', aged)
end
if wentBack then
  heard = now
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[8], now + longest, '+inf')) do redis.call('ZADD', KEYS[8], now + longest, id) end
end
redis.call('HSET', KEYS[7], 'beat', now, 'longest', longest, 'heard', heard)
if alive then redis.call('ZADD', KEYS[8], now + lease, ARGV[1]) end
local dead = {unpack(ARGV, 8)}
local latest = now >= grace and now or aged == grace and now - 3 * longest
for _, id in ipairs(latest and redis.call('ZRANGEBYSCORE', KEYS[8], '-inf', latest, 'LIMIT', 0, 10) or {}) do dead[#dead + 1] = id end
for _, id in ipairs(dead) do
  if redis.call('ZREM', KEYS[8], id) == 1 then redis.call('ZADD', KEYS[9], '+inf', id) end
end
local moved, budget = 0, tonumber(ARGV[6])
local function empty(id)
  if moved < budget then moved = moved + drain(id, true, budget - moved, tonumber(ARGV[5])) end
  return moved < budget
end
first = tonumber(first or 0)
local looked = first
local graves = redis.call('ZRANGEBYSCORE', KEYS[9], '-inf', '(+inf', 'WITHSCORES', 'LIMIT', first, ${looksAtOnce})
for i = 1, #graves, 2 do
  if not empty(graves[i]) then break end
  if tonumber(graves[i + 1]) > now then looked = looked + 1 else redis.call('ZREM', KEYS[9], graves[i]) end
end
if moved < budget and #graves < ${2 * looksAtOnce} then looked = 0 end
if looked ~= first then redis.call('HSET', KEYS[7], 'looked', looked) end
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[9], '+inf', '+inf')) do
  if not empty(id) then break end
  redis.call('ZADD', KEYS[9], now + ARGV[7], id)
end
return {alive and 1 or 0, moved, redis.call('ZRANGE', KEYS[8], 0, -1)}`,
);

export interface Renewal {
  /** Whether the lease was still there. Without, everything that was held is somebody else's, or nobody's. */
  readonly alive: boolean;
  /** Messages of dead consumers that were given back. */
  readonly recovered: number;
  /** There may be more to give back: call again at once. */
  readonly more: boolean;
  /** Every consumer that has a lease. */
  readonly consumers: readonly string[];
}

/** Renews the lease of a consumer and gives back what dead ones held. */
export async function renew(
  connection: Connection,
  keys: QueueKeys,
  consumer: {
    readonly id: string;
    readonly leaseMs: number;
    readonly silenceMs: number;
    readonly crashDelayMs: number;
    /** Consumers whose process is known to be gone: theirs is given back at once. */
    readonly knownDead: readonly string[];
  },
): Promise<Renewal> {
  const { id, leaseMs, silenceMs, crashDelayMs, knownDead } = consumer;
  const [alive, recovered, consumers] = (await connection.run(
    renewScript,
    [...keys.lists, keys.crashes, keys.delayed, keys.meta, keys.lease, keys.grave],
    [id, leaseMs, silenceMs, keys.consumers, crashDelayMs, movedAtOnce, graveMs, ...knownDead],
  )) as [number, number, string[]]; // what the script returns
  return { alive: alive === 1, recovered, more: recovered >= movedAtOnce, consumers };
}
