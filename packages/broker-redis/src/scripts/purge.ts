import type { Connection } from "../connection.ts";
import type { QueueKeys } from "../keys.ts";
import { script } from "./script.ts";

/**
 * KEYS delayed, lease, grave, lists… · ARGV own
 * Counts everything before the first key goes. UNLINK needs no memory, and Redis frees in another thread what it names.
 */
const purgeScript = script(
  "purge",
  `local purged, full = redis.call('ZCARD', KEYS[1]), {KEYS[1]}
local function count(list)
  local length = redis.call('LLEN', list)
  if length > 0 then full[#full + 1] = list end
  purged = purged + length
end
for i = 4, #KEYS do count(KEYS[i]) end
for i = 2, 3 do
  for _, id in ipairs(redis.call('ZRANGE', KEYS[i], 0, -1)) do
    for list = 0, 3 do count(ARGV[1] .. 'landing:' .. id .. ':' .. list) end
  end
end
for _, key in ipairs(full) do redis.call('UNLINK', key) end
return purged`,
);

/** Deletes what is ready, also what just landed for a consumer, and what is delayed; answers how many. */
export async function purge(connection: Connection, keys: QueueKeys): Promise<number> {
  const named = [keys.delayed, keys.lease, keys.grave, ...keys.lists];
  return (await connection.run(purgeScript, named, [keys.consumers])) as number; // what the script returns
}
