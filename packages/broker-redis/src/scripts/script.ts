import { createHash } from "node:crypto";

/**
 * One atomic step on one queue. What every script keeps to:
 * - Time is the server's (`TIME`); no client's clock enters Redis.
 * - A script is not rolled back: everything that can fail, such as a key of another type, is tried by reading before the first write.
 * - With memory full, Redis refuses a script whose first write could need memory. Scripts that free or settle begin with a write that needs
 *   none; those that take something in begin with the one that does, and so fail as a whole.
 * - The work of a call is bounded, because Redis does nothing else meanwhile.
 * - A repeated call does no harm, because any answer can be lost on its way.
 */
export interface Script {
  readonly name: string;
  readonly lua: string;
  readonly sha: string;
}

/** Server time in milliseconds, as `now`. */
export const clock = `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/** One that asks for the time only where it needs it, if at all: what is called for one message pays for every step. */
export function script(name: string, body: string): Script {
  const lua = `-- q ${name}\n${body}`;
  return { name, lua, sha: createHash("sha1").update(lua).digest("hex") };
}

/** One that begins with `now`. */
export function timedScript(name: string, body: string): Script {
  return script(name, `${clock}${body}`);
}
