import type { Connection } from "../connection.ts";
import type { Envelope } from "../envelope.ts";
import type { QueueKeys } from "../keys.ts";
import { script } from "./script.ts";

/** Longest time that Redis remembers a silent producer: far beyond any repetition. Short, because each run of a short program is one. Milliseconds. */
const producerTtlMs = 300_000;

/**
 * KEYS producer, meta, delayed, lists… · ARGV sequence, ttl, (list, delay, message)…
 * A batch whose number is not beyond the last one was carried out before: its answer was lost and it is sent again. It writes all the same, or a
 * WAIT behind it would count replicas that have not heard of it yet.
 */
const publishScript = script(
  "publish",
  `if tonumber(ARGV[1]) <= tonumber(redis.call('GET', KEYS[1]) or '0') then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return 0
end
local ready, delayed, keys = {}, 0, 0
for i = 3, #ARGV, 3 do
  if ARGV[i + 1] == '0' then
    local list = ready[ARGV[i]]
    if not list then
      list = {}
      ready[ARGV[i]] = list
      redis.call('LLEN', KEYS[4 + ARGV[i]])
    end
    list[#list + 1] = ARGV[i + 2]
  else
    delayed = delayed + 1
  end
end
if delayed > 0 then redis.call('HLEN', KEYS[2]); redis.call('ZCARD', KEYS[3]) end
for list, messages in pairs(ready) do
  for from = 1, #messages, 1000 do
    redis.call('LPUSH', KEYS[4 + list], unpack(messages, from, math.min(from + 999, #messages)))
  end
end
if delayed > 0 then
  local seq = redis.call('HINCRBY', KEYS[2], 'delayed', delayed) - delayed
  for i = 3, #ARGV, 3 do
    if ARGV[i + 1] ~= '0' then
      seq = seq + 1
      redis.call('ZADD', KEYS[3], now + ARGV[i + 1], string.format('%016.0f', seq) .. ARGV[i] .. ARGV[i + 2])
    end
  end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`,
);

/** An envelope and when it may be delivered. */
export interface Push extends Envelope {
  /** Milliseconds from now; 0 is at once. */
  readonly delayMs: number;
}

/** One numbered batch of a producer. A number that was used before changes nothing. */
export async function publish(
  connection: Connection,
  keys: QueueKeys,
  batch: {
    readonly producerId: string;
    readonly sequence: number;
    readonly pushes: readonly Push[];
    readonly replicas: number;
  },
): Promise<void> {
  const args: (string | number)[] = [batch.sequence, producerTtlMs];
  for (const { list, delayMs, text } of batch.pushes) args.push(list, wholeDelay(delayMs), text);
  const named = [keys.producer(batch.producerId), keys.meta, keys.delayed, ...keys.lists];
  await connection.run(publishScript, named, args, { replicas: batch.replicas });
}

/** One more than asked, because the server's current millisecond may be almost over: never early. */
export function wholeDelay(delayMs: number): number {
  return delayMs > 0 ? Math.ceil(delayMs) + 1 : 0;
}
