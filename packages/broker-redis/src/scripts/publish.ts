import type { Connection } from "../connection.ts";
import type { Envelope } from "../envelope.ts";
import type { QueueKeys } from "../keys.ts";
import { clock, script } from "./script.ts";

/** Longest time that Redis remembers a silent producer: far beyond any repetition. Short, because each run of a short program is one. Milliseconds. */
export const producerTtlMs = 300_000;

/**
 * Lua: ends the script when the batch was carried out before, because its number is not beyond the last one: its answer was lost and it is sent again.
 * It writes all the same, or a WAIT behind it would count replicas that have not heard of it yet.
 */
const unlessRepeated = `if tonumber(ARGV[1]) <= tonumber(redis.call('GET', KEYS[1]) or '0') then
  redis.call('PEXPIRE', KEYS[1], ${producerTtlMs})
  return 0
end
`;

const remember = `redis.call('SET', KEYS[1], ARGV[1], 'PX', ${producerTtlMs})
return 1`;

/**
 * KEYS producer, list · ARGV sequence, messages…
 * What nearly every batch is: ready, and for one list. A send by itself pays for every key, argument and step.
 */
const pushScript = script(
  "push",
  `${unlessRepeated}redis.call('LPUSH', KEYS[2], unpack(ARGV, 2))
${remember}`,
);

/**
 * KEYS producer, meta, delayed, lists… · ARGV sequence, (place among the lists, list, delay, how many, messages…)…
 * One run of messages is stored as a whole or not at all by the command that stores it; before several, every key is looked at.
 */
const publishScript = script(
  "publish",
  `${unlessRepeated}local ready, delayed, count, at = {}, {}, 0, 2
while at <= #ARGV do
  local run = {key = KEYS[4 + ARGV[at]], list = ARGV[at + 1], delay = ARGV[at + 2], from = at + 4, to = at + 3 + ARGV[at + 3]}
  at = run.to + 1
  if run.delay == '0' then
    ready[#ready + 1] = run
  else
    delayed[#delayed + 1] = run
    count = count + run.to - run.from + 1
  end
end
if count > 0 then redis.call('HLEN', KEYS[2]); redis.call('ZCARD', KEYS[3]) end
if #ready + #delayed > 1 then
  for _, run in ipairs(ready) do redis.call('LLEN', run.key) end
end
for _, run in ipairs(ready) do redis.call('LPUSH', run.key, unpack(ARGV, run.from, run.to)) end
if count > 0 then
  ${clock}local seq = redis.call('HINCRBY', KEYS[2], 'delayed', count) - count
  for _, run in ipairs(delayed) do
    for i = run.from, run.to do
      seq = seq + 1
      redis.call('ZADD', KEYS[3], now + run.delay, string.format('%016.0f', seq) .. run.list .. ARGV[i])
    end
  end
end
${remember}`,
);

/** An envelope and when it may be delivered. */
export interface Push extends Envelope {
  /** Milliseconds from now; 0 is at once. */
  readonly delayMs: number;
}

/** Most messages of one batch: more would keep Redis from everything else for too long. */
export const mostOfBatch = 1000;

/** Characters from which on a text is written as bytes: below, to make them costs more than it saves. */
const longText = 4000;
/** Of one batch. Short texts are written as one text, and V8 keeps a longer one apart from all others, which costs several times as much. */
const mostCharactersOfShort = 100_000;
const mostCharactersOfLong = 400_000;

/** How much of one batch a message takes: at 1 it is full. */
export function shareOfBatch({ text: { length } }: Push): number {
  return length / (length < longText ? mostCharactersOfShort : mostCharactersOfLong);
}

/** One numbered batch of a producer, no larger than that: Lua can hand on about 8,000 messages at once. A number that was used before changes nothing. */
export async function publish(
  connection: Connection,
  keys: QueueKeys,
  batch: {
    readonly producer: string;
    readonly sequence: number;
    readonly pushes: readonly Push[];
    readonly replicas: number;
  },
): Promise<void> {
  const { sequence, replicas } = batch;
  const producer = keys.producer(batch.producer);
  const runs = runsOf(batch.pushes);
  const [first] = runs;
  if (runs.length === 1 && first?.delayMs === 0) {
    const list = keys.lists[first.list] ?? "";
    await connection.run(pushScript, [producer, list], [sequence, ...first.texts], { replicas });
    return;
  }
  const args: (string | number | Buffer)[] = [sequence];
  const lists: string[] = [];
  for (const { list, delayMs, texts } of runs) {
    const key = keys.lists[list] ?? "";
    if (!lists.includes(key)) lists.push(key);
    args.push(lists.indexOf(key), list, wholeDelay(delayMs), texts.length, ...texts);
  }
  await connection.run(publishScript, [producer, keys.meta, keys.delayed, ...lists], args, { replicas });
}

interface Run {
  readonly list: number;
  readonly delayMs: number;
  readonly texts: (string | Buffer)[];
}

/** Neighbours with the same list and delay, together. Mostly that is all of them. */
function runsOf(pushes: readonly Push[]): readonly Run[] {
  const runs: Run[] = [];
  let last: Run | undefined;
  for (const { list, delayMs, text } of pushes) {
    if (last?.list !== list || last.delayMs !== delayMs) runs.push((last = { list, delayMs, texts: [] }));
    last.texts.push(text.length < longText ? text : Buffer.from(text));
  }
  return runs;
}

/** One more than asked, because the server's current millisecond may be almost over: never early. */
export function wholeDelay(delayMs: number): number {
  return delayMs > 0 ? Math.ceil(delayMs) + 1 : 0;
}
