import type { Connection } from "../connection.ts";
import type { QueueKeys } from "../keys.ts";
import { script } from "./script.ts";

/**
 * KEYS dead-index · ARGV limit, (died at, entry)
 * Newest first, from behind an entry on, also when that is gone by now. Many may have died in one millisecond, so the place is searched among them.
 */
const deadPageScript = script(
  "dead-page",
  `local from = 0
if ARGV[2] then
  from = redis.call('ZCOUNT', KEYS[1], '(' .. ARGV[2], '+inf')
  local to = from + redis.call('ZCOUNT', KEYS[1], ARGV[2], ARGV[2])
  while from < to do
    local middle = math.floor((from + to) / 2)
    if redis.call('ZREVRANGE', KEYS[1], middle, middle)[1] >= ARGV[3] then from = middle + 1 else to = middle end
  end
end
return redis.call('ZREVRANGE', KEYS[1], from, from + ARGV[1] - 1, 'WITHSCORES')`,
);

/** A place in the index of the dead letters. */
export interface DeadPlace {
  readonly entry: string;
  /** Epoch milliseconds. */
  readonly diedAt: number;
}

/** At most `limit` places, newest first. */
export async function deadPage(
  connection: Connection,
  keys: QueueKeys,
  page: { readonly limit: number; readonly behind: DeadPlace | undefined },
): Promise<readonly DeadPlace[]> {
  const { limit, behind } = page;
  const args = behind === undefined ? [limit] : [limit, behind.diedAt, behind.entry];
  const reply = (await connection.run(deadPageScript, [keys.deadIndex], args)) as string[]; // entries and times, in turn
  const places: DeadPlace[] = [];
  for (let at = 0; at < reply.length; at += 2) places.push({ entry: reply[at] ?? "", diedAt: Number(reply[at + 1]) });
  return places;
}
