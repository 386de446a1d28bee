import type { Connection } from "../connection.ts";
import type { QueueKeys } from "../keys.ts";
import type { Held } from "./claim.ts";
import { textOrBytes } from "./packed.ts";
import { script } from "./script.ts";

/** KEYS lease, held, crashes · ARGV consumer, most, known fences… Reads only. */
const adoptScript = script(
  "adopt",
  `if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return -1 end
local known, found = {}, {}
for i = 3, #ARGV do known[ARGV[i]] = true end
for _, tag in ipairs(redis.call('HKEYS', KEYS[2])) do
  if not known[tag:match('^%d+')] and #found < 3 * tonumber(ARGV[2]) then
    local message = redis.call('HGET', KEYS[2], tag)
    found[#found + 1] = tag
    found[#found + 1] = tonumber(redis.call('HGET', KEYS[3], redis.sha1hex(message)) or '0')
    found[#found + 1] = message
  end
end
return found`,
);

/** What a consumer holds without knowing: the answer to its claim was lost. `undefined`: its lease is gone. Oldest first. */
export async function adopt(
  connection: Connection,
  keys: QueueKeys,
  consumer: { readonly id: string; readonly most: number; readonly known: Iterable<number> },
): Promise<readonly Held[] | undefined> {
  const { id, most, known } = consumer;
  const reply = (await connection.run(adoptScript, [keys.lease, keys.held(id), keys.crashes], [id, most, ...known], {
    asBytes: true,
  })) as -1 | (Buffer | number)[]; // what the script returns
  if (reply === -1) return undefined;
  const held: Held[] = [];
  for (let at = 0; at < reply.length; at += 3) {
    const [fence, list] = String(reply[at]).split(":").map(Number);
    const text = textOrBytes(reply[at + 2] as Buffer); // every third is a message
    held.push({ fence: fence ?? 0, list: list ?? 0, crashes: Number(reply[at + 1]), text });
  }
  return held.toSorted((one, other) => one.fence - other.fence);
}
