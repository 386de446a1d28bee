import { tickToleranceMs, type TickAnswer } from "@q/core/broker";
import type { Connection } from "../connection.ts";
import type { QueueKeys } from "../keys.ts";
import { timedScript } from "./script.ts";

/**
 * KEYS ticks, list · ARGV name, at, tolerance, last tick elsewhere or '', replicas, message if any
 * The message first: with memory full the script then fails as a whole, and the tick is still to be fired. A tick that was recorded is written
 * again where replicas are waited for, or a WAIT behind a repeated call would count replicas that have not heard of it yet.
 */
const fireScript = timedScript(
  "fire",
  `local last = redis.call('HGET', KEYS[1], ARGV[1])
if not last then
  if ARGV[4] == '' then return 'unknown' end
  last = ARGV[4]
end
local at = tonumber(ARGV[2])
if tonumber(last) >= at then
  if tonumber(last) == at and ARGV[5] ~= '0' then redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) end
  return 'already'
end
if at > now + ARGV[3] then return 'early' end
redis.call('LLEN', KEYS[2])
if ARGV[6] then redis.call('LPUSH', KEYS[2], ARGV[6]) end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 'fired'`,
);

/**
 * Records a tick and stores its message, unless it or a later one was recorded. `unknown`: nothing was ever recorded at this queue, and
 * `elsewhere` does not say what was at others; nothing was done.
 */
export async function fireTick(
  connection: Connection,
  keys: QueueKeys,
  tick: {
    readonly name: string;
    readonly at: number;
    /** The last tick at other queues, 0 for none; `undefined` when nobody has looked yet. */
    readonly elsewhere: number | undefined;
    readonly push: { readonly list: number; readonly text: string } | undefined;
    readonly replicas: number;
  },
): Promise<Extract<TickAnswer, "fired" | "already" | "early"> | "unknown"> {
  const { name, at, elsewhere, push, replicas } = tick;
  const list = keys.lists[push?.list ?? 0] ?? "";
  const args = [name, at, tickToleranceMs, elsewhere ?? "", replicas];
  const answer = await connection.run(
    fireScript,
    [keys.ticks, list],
    push === undefined ? args : [...args, push.text],
    {
      replicas,
    },
  );
  return answer as Awaited<ReturnType<typeof fireTick>>; // what the script returns
}
