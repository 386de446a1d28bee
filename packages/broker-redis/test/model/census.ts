import type { Connection } from "../../src/connection.ts";
import type { QueueKeys } from "../../src/keys.ts";
import { emptyState, type QueueState } from "./queue-state.ts";

/** Everything that is on the server, seen in one moment. */
export interface Census {
  /** Server time. */
  readonly now: number;
  readonly state: QueueState;
  /** Whatever has a time: `lease <id>`, `grave <id>`, `due <number>`, `died <entry>`, `beat`, `grace`, and when a key ends. */
  readonly times: Map<string, number>;
}

/** Redis deletes what has run out when SCAN meets it: after the clock went back it must not be there again. */
const script = `redis.call('SCAN', 0, 'COUNT', 1000000)
local found, time = {}, redis.call('TIME')
local read = { list = {'LRANGE', 0, -1}, hash = {'HGETALL'}, zset = {'ZRANGE', 0, -1, 'WITHSCORES'}, string = {'GET'} }
for i, key in ipairs(redis.call('KEYS', '*')) do
  local type = redis.call('TYPE', key).ok
  local content = redis.call(read[type][1], key, unpack(read[type], 2))
  found[i] = {key, redis.call('PTTL', key), type == 'string' and {content} or content}
end
return {time[1], time[2], found}`;

type Reply = [seconds: Buffer, microseconds: Buffer, keys: [key: Buffer, ttl: number, content: Buffer[]][]];

/** Reads the whole database, which holds one queue and nothing else. */
export async function takeCensus(connection: Connection, keys: QueueKeys): Promise<Census> {
  const reply = (await connection.callBuffer("eval", script, 0)) as Reply; // what the script returns
  const now = Number(reply[0]) * 1000 + Math.floor(Number(reply[1]) / 1000);
  const census: Census = { now, state: emptyState(), times: new Map() };
  for (const [key, ttl, content] of reply[2]) {
    const texts = content.map((bytes) => bytes.toString("latin1"));
    sort(census, keys, { key: key.toString(), endsAt: ttl < 0 ? undefined : now + ttl, texts });
  }
  return census;
}

interface Found {
  readonly key: string;
  readonly endsAt: number | undefined;
  readonly texts: readonly string[];
}

function sort(census: Census, keys: QueueKeys, { key, endsAt, texts }: Found): void {
  const { state, times } = census;
  const [kind = "", id = ""] = key.startsWith(keys.consumers) ? split(key.slice(keys.consumers.length)) : [];
  const endKey = id === "" ? kind : `${kind} ${id}`;
  if (endsAt !== undefined) times.set(endKey, endsAt);
  if (keys.lists.includes(key)) state.ready[keys.lists.indexOf(key)] = [...texts].toReversed();
  else if (key === keys.meta) readMeta(census, pairs(texts));
  else if (key === keys.lease || key === keys.grave)
    for (const [member, score] of pairs(texts)) times.set(`${kind} ${member}`, Number(score));
  else if (key === keys.deadIndex) for (const [entry, at] of pairs(texts)) times.set(`died ${entry}`, Number(at));
  else if (key === keys.delayed) for (const [member, dueAt] of pairs(texts)) readDelayed(census, member, Number(dueAt));
  else if (key === keys.dead) for (const [entry, letter] of pairs(texts)) state.dead.set(entry, readLetter(letter));
  else if (key === keys.crashes) for (const [hash, count] of pairs(texts)) state.crashes.set(hash, Number(count));
  else if (kind === "held") state.held.set(id, new Map(pairs(texts)));
  else if (kind === "started") state.started.set(id, new Set(pairs(texts).map(([tag]) => tag)));
  else if (kind === "landing") state.landed.set(id, [...texts].toReversed());
  else if (kind === "producer") state.producers.set(id, Number(texts[0]));
  else if (kind === "once") state.once.add(id);
  else state.strangers.push(key);
}

function readMeta({ state, times }: Census, fields: readonly (readonly [string, string])[]): void {
  for (const [field, value] of fields) {
    if (field === "beat" || field === "grace") times.set(field, Number(value));
    else if (field === "paused") state.paused = true;
    else if (field === "tag" || field === "delayed" || field === "dead") state.counters[field] = Number(value);
    else if (!["priorities", "longest", "heard", "aged"].includes(field)) state.strangers.push(`meta ${field}`);
  }
}

function readDelayed({ state, times }: Census, member: string, dueAt: number): void {
  const number = member.slice(0, 16);
  state.delayed.set(number, { list: Number(member[16]), text: member.slice(17) });
  times.set(`due ${number}`, dueAt);
}

function readLetter(letter: string): { list: number; reason: string; text: string } {
  const [head = "", list, length] = /^\d+:(\d):(\d+):/.exec(letter) ?? [];
  const end = head.length + Number(length);
  return { list: Number(list), reason: letter.slice(head.length, end), text: letter.slice(end) };
}

function pairs(texts: readonly string[]): [string, string][] {
  return texts.flatMap((text, at): [string, string][] => (at % 2 === 0 ? [[text, texts[at + 1] ?? ""]] : []));
}

/** At the first colon. */
function split(text: string): [string, string] {
  const at = text.indexOf(":");
  return at === -1 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}
