import type { Connection } from "../connection.ts";
import type { QueueKeys } from "../keys.ts";
import { timedScript } from "./script.ts";

/**
 * KEYS delayed, meta, dead, lease, grave, lists… · ARGV own
 * Counts what is delayed and due as ready, though it only moves when a consumer claims. Reads only; its work grows with the consumers, not with the messages.
 */
const statsScript = timedScript(
  "stats",
  `local due = redis.call('ZCOUNT', KEYS[1], '-inf', now)
local delayed = redis.call('ZCARD', KEYS[1]) - due
local firstDue = due > 0 and redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2] or now
local ready, inFlight, next = due, 0, {}
local function count(list)
  local length = redis.call('LLEN', list)
  if length > 0 then next[#next + 1] = redis.call('LINDEX', list, -1) end
  ready = ready + length
end
for i = 6, #KEYS do count(KEYS[i]) end
for i = 4, 5 do
  for _, id in ipairs(redis.call('ZRANGE', KEYS[i], 0, -1)) do
    inFlight = inFlight + redis.call('HLEN', ARGV[1] .. 'held:' .. id)
    for list = 0, 3 do count(ARGV[1] .. 'landing:' .. id .. ':' .. list) end
  end
end
local processes, consumers = {}, 0
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[4], now, '+inf')) do
  local process = id:match('@(.*)')
  if process and not processes[process] then
    processes[process] = true
    consumers = consumers + 1
  end
end
local paused = redis.call('HEXISTS', KEYS[2], 'paused')
return {now, ready, delayed, inFlight, redis.call('HLEN', KEYS[3]), consumers, paused, now - firstDue, next}`,
);

export interface Counts {
  readonly ready: number;
  readonly delayed: number;
  readonly inFlight: number;
  readonly dead: number;
  /** Processes whose lease holds. */
  readonly consumers: number;
  readonly paused: boolean;
  /** Server time, epoch milliseconds. */
  readonly now: number;
  /** For how long the first delayed message has been due; 0 when none is. */
  readonly dueForMs: number;
  /** The next message of each list that has one. */
  readonly next: readonly string[];
}

type Reply = [
  now: number,
  ready: number,
  delayed: number,
  inFlight: number,
  dead: number,
  consumers: number,
  paused: number,
  dueForMs: number,
  next: string[],
];

/** Counts what is in a queue. */
export async function stats(connection: Connection, keys: QueueKeys): Promise<Counts> {
  const [now, ready, delayed, inFlight, dead, consumers, paused, dueForMs, next] = (await connection.run(
    statsScript,
    [keys.delayed, keys.meta, keys.dead, keys.lease, keys.grave, ...keys.lists],
    [keys.consumers],
  )) as Reply; // what the script returns
  return { ready, delayed, inFlight, dead, consumers, paused: paused === 1, now, dueForMs, next };
}
