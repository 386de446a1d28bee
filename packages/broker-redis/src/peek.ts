import {
  readCursor,
  readyAtHeader,
  rowsFor,
  writeCursor,
  type Page,
  type PageOptions,
  type PeekedMessage,
  type Place,
  type WaitingState,
} from "@q/core/broker";
import type { Connection } from "./connection.ts";
import { decodeBytes } from "./envelope.ts";
import type { QueueKeys } from "./keys.ts";
import type { Store } from "./store.ts";

/** A message as it is stored. */
interface Found {
  readonly raw: Buffer;
  /** Where to go on behind it. */
  readonly place: Place;
  /** When it may be delivered, where the store knows. Epoch milliseconds. */
  readonly dueAt?: number;
}

/** How far to read, and from where in its list; `undefined` is the beginning. */
interface Range {
  readonly from: Place | undefined;
  readonly count: number;
}

type Read = (connection: Connection, keys: QueueKeys, range: Range) => Promise<readonly Found[]>;

/** Numbers in a cursor of each list. */
const cursorKeys = { ready: 2, due: 2, delayed: 2, "in-flight": 1 };

/** What is due comes behind what is ready, as it will be delivered. */
const listsOf: Readonly<Record<WaitingState, readonly (readonly [name: keyof typeof cursorKeys, read: Read])[]>> = {
  ready: [
    ["ready", readReady],
    ["due", (connection, keys, range) => readDelayed(connection, keys, { ...range, state: "due" })],
  ],
  delayed: [["delayed", (connection, keys, range) => readDelayed(connection, keys, { ...range, state: "delayed" })]],
  "in-flight": [["in-flight", readInFlight]],
};

/**
 * A page of what waits. Not one atomic step: what moves meanwhile may be missing. What just landed for an idle consumer is not shown, because it is
 * taken in the same moment.
 */
export async function peekQueue(
  { connection, queues }: Store,
  queue: string,
  options: PageOptions & { readonly state: WaitingState },
): Promise<Page<PeekedMessage>> {
  const { state } = options;
  const lists = listsOf[state];
  const from = readCursor(options.cursor, Object.fromEntries(lists.map(([name]) => [name, cursorKeys[name]])));
  const keys = queues.keysOf(queue);
  const most = rowsFor(options.limit);
  const found: Found[] = [];
  const first = lists.findIndex(([name]) => name === from?.list);
  for (const [name, read] of lists.slice(Math.max(0, first))) {
    if (found.length === most) break;
    const range = { from: name === from?.list ? from : undefined, count: most - found.length };
    found.push(...(await read(connection, keys, range)));
  }
  const page = found.slice(0, most - 1);
  const last = page.at(-1);
  return {
    items: page.map((one) => peeked(one, queue, state)),
    next: last === undefined || found.length < most ? null : writeCursor(last.place),
  };
}

function peeked({ raw, dueAt }: Found, queue: string, state: WaitingState): PeekedMessage {
  const message = decodeBytes(raw, queue);
  if (dueAt !== undefined || state === "in-flight" || "malformed" in message)
    return { message, state, dueAt: dueAt ?? null };
  const readyAt = message.headers[readyAtHeader];
  return { message, state, dueAt: typeof readyAt === "number" ? readyAt : null };
}

/** By distance from the end that is served, so that what is pushed meanwhile shifts nothing. */
async function readReady(connection: Connection, { lists }: QueueKeys, { from, count }: Range): Promise<Found[]> {
  const [firstList = 0, firstOffset = 0] = from?.keys ?? [];
  const found: Found[] = [];
  for (const [index, list] of lists.entries()) {
    if (index < firstList || found.length === count) continue;
    const offset = index === firstList ? firstOffset : 0;
    const range = [-offset - (count - found.length), -offset - 1];
    const elements = (await connection.callBuffer("lrange", list, ...range)) as Buffer[]; // what LRANGE answers
    const inTurn = elements.toReversed();
    found.push(...inTurn.map((raw, at) => ({ raw, place: { list: "ready", keys: [index, offset + at + 1] } })));
  }
  return found;
}

/** By time, and by the number of those of one time that were seen. */
async function readDelayed(
  connection: Connection,
  { delayed }: QueueKeys,
  { from, count, state }: Range & { readonly state: "due" | "delayed" },
): Promise<Found[]> {
  const [seconds, microseconds] = (await connection.call("time")) as [string, string]; // what TIME answers
  const now = Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
  let [lastDueAt = -1, seen = 0] = from?.keys ?? [];
  const start = from === undefined ? (state === "due" ? "-inf" : `(${now}`) : lastDueAt;
  const end = state === "due" ? now : "+inf";
  const range = [delayed, start, end, "WITHSCORES", "LIMIT", seen, count];
  const reply = (await connection.callBuffer("zrangebyscore", ...range)) as Buffer[]; // members and scores, in turn
  const found: Found[] = [];
  for (let at = 0; at < reply.length; at += 2) {
    const dueAt = Number(reply[at + 1]);
    seen = dueAt === lastDueAt ? seen + 1 : 1;
    lastDueAt = dueAt;
    // Behind its sequence number and the digit of its list.
    const raw = reply[at]?.subarray(17) ?? Buffer.alloc(0);
    found.push({ raw, dueAt, place: { list: state, keys: [dueAt, seen] } });
  }
  return found;
}

/** By number of claim. As many tags as there are in the hands of consumers are read and sorted. */
async function readInFlight(connection: Connection, keys: QueueKeys, { from, count }: Range): Promise<Found[]> {
  const [lastFence = -1] = from?.keys ?? [];
  const ids = await Promise.all([keys.lease, keys.grave].map((key) => connection.call("zrange", key, 0, -1)));
  const tagged = await Promise.all(
    // What ZRANGE and HKEYS answer.
    (ids as string[][]).flat().map(async (id) => {
      const tags = (await connection.call("hkeys", keys.held(id))) as string[];
      return tags.map((tag) => ({ held: keys.held(id), tag, fence: Number(tag.split(":", 1)[0]) }));
    }),
  );
  const inTurn = tagged.flat().toSorted((one, other) => one.fence - other.fence);
  const rest = inTurn.filter(({ fence }) => fence > lastFence);
  const found: Found[] = [];
  // Those that have ended meanwhile leave room for the ones behind them: a page that is not full is the last one.
  while (found.length < count && rest.length > 0) {
    const next = rest.splice(0, count - found.length);
    const held = await Promise.all(next.map((one) => connection.callBuffer("hget", one.held, one.tag)));
    next.forEach(({ fence }, index) => {
      const raw = held[index];
      if (Buffer.isBuffer(raw)) found.push({ raw, place: { list: "in-flight", keys: [fence] } });
    });
  }
  return found;
}
