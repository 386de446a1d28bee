import type { History, Violation } from "@q/fault-kit";
import { queueKeys } from "../../src/keys.ts";

/** Runs a command past the network that a row breaks. */
export type Admin = (name: string, ...args: readonly (string | number)[]) => Promise<unknown>;

/**
 * KEYS lists ×4, delayed, dead, lease, grave · ARGV own
 * Every message and where it is, in one instant: place and id, in turn. What a consumer holds that no set knows of would stay there for ever.
 */
const censusScript = `local found = {}
local function put(place, message)
  found[#found + 1] = place
  found[#found + 1] = message:match('"id":"([^"]*)"') or '?'
end
for i = 1, 4 do
  for _, message in ipairs(redis.call('LRANGE', KEYS[i], 0, -1)) do put('list', message) end
end
for _, member in ipairs(redis.call('ZRANGE', KEYS[5], 0, -1)) do put('delayed', member) end
for _, entry in ipairs(redis.call('HVALS', KEYS[6])) do put('dead', entry) end
for _, key in ipairs(redis.call('KEYS', ARGV[1] .. '*')) do
  local kind, id = key:sub(#ARGV[1] + 1):match('^(%l+):(.*)$')
  if kind == 'landing' then id = id:sub(1, -3) end
  local place = kind
  if (kind == 'held' or kind == 'landing') and not redis.call('ZSCORE', KEYS[7], id) and not redis.call('ZSCORE', KEYS[8], id) then
    place = 'nobody'
  end
  if kind == 'held' then
    for _, message in ipairs(redis.call('HVALS', key)) do put(place, message) end
  elseif kind == 'landing' then
    for _, message in ipairs(redis.call('LRANGE', key, 0, -1)) do put(place, message) end
  end
end
return found`;

/** Where each message is. One in two places at once has both. */
export type Places = ReadonlyMap<string, readonly string[]>;

export async function census(admin: Admin, queue: string): Promise<Places> {
  const keys = queueKeys(queue, "");
  const named = [...keys.lists, keys.delayed, keys.dead, keys.lease, keys.grave];
  const reply = (await admin("eval", censusScript, named.length, ...named, keys.consumers)) as string[]; // what the script returns
  const places = new Map<string, string[]>();
  for (let at = 0; at < reply.length; at += 2) {
    const [place = "", id = ""] = [reply[at], reply[at + 1]];
    places.set(id, [...(places.get(id) ?? []), place]);
  }
  return places;
}

/** Those that are among the dead letters. */
export async function deadIds(admin: Admin, queue: string): Promise<ReadonlySet<string>> {
  const places = await census(admin, queue);
  return new Set([...places].filter(([, where]) => where.includes("dead")).map(([id]) => id));
}

const everyMs = 100;
/** It reads every message, in the process that also plays the bad network: with a long queue it must leave time for that. */
const restPerCensus = 4;

/** Takes the census all the time, and keeps what should never be. */
export class CensusWatch {
  readonly violations: Violation[] = [];
  /** How often it was taken. */
  count = 0;
  readonly #admin: Admin;
  readonly #queue: string;
  readonly #history: History;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #isStopped = false;
  #tookMs = 0;

  constructor(admin: Admin, queue: string, history: History) {
    this.#admin = admin;
    this.#queue = queue;
    this.#history = history;
    this.#schedule();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  #schedule(): void {
    if (this.#isStopped) return;
    this.#timer = setTimeout(
      () => {
        const startedAt = performance.now();
        // A server that is down or frozen has no places.
        this.#running = this.#take()
          .catch(() => undefined)
          .then(() => {
            this.#tookMs = performance.now() - startedAt;
            this.#schedule();
          });
      },
      Math.max(everyMs, restPerCensus * this.#tookMs),
    );
  }

  async #take(): Promise<void> {
    const history = this.#history.read();
    const before = [...history.open];
    const acked = new Set([...history.traces].filter(([, { acks }]) => acks > 0).map(([id]) => id));
    const places = await census(this.#admin, this.#queue);
    history.read();
    this.count += 1;
    for (const [id, at] of places) {
      if (at.length > 1) this.#report(id, `is in ${at.join(" and ")}`);
      if (at.includes("nobody")) this.#report(id, "is held by nobody");
      if (acked.has(id)) this.#report(id, `was acknowledged, and is in ${at.join(" and ")}`);
    }
    for (const id of before) if (history.open.has(id) && !places.has(id)) this.#report(id, "is nowhere");
  }

  #report(id: string, what: string): void {
    if (this.violations.length < 1000) this.violations.push({ id, what });
  }
}
