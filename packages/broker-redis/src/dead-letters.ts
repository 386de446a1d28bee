import {
  parseDeadReason,
  readCursor,
  rowsFor,
  writeCursor,
  type DeadLetter,
  type DeadReason,
  type Page,
  type PageOptions,
  type Redrive,
} from "@q/core/broker";
import { decodeBytes, reencodeEnvelope } from "./envelope.ts";
import type { QueueKeys } from "./keys.ts";
import { deadPage, type DeadPlace } from "./scripts/dead-page.ts";
import { drop } from "./scripts/drop.ts";
import { redrive, type Revived } from "./scripts/redrive.ts";
import type { Store } from "./store.ts";

/** Entries that one script moves or deletes. */
const atOnce = 100;

/** A dead letter as the store has it. */
interface StoredLetter {
  readonly list: number;
  readonly reason: DeadReason;
  /** The message as it was found. */
  readonly raw: Buffer;
}

/** A page of dead letters, newest first. */
export async function listDead(
  { connection, queues }: Store,
  queue: string,
  { limit, cursor }: PageOptions,
): Promise<Page<DeadLetter>> {
  const [diedAt, number] = readCursor(cursor, { dead: 2 })?.keys ?? [];
  const behind = diedAt === undefined || number === undefined ? undefined : { diedAt, entry: entryOf(number) };
  const keys = queues.keysOf(queue);
  const most = rowsFor(limit);
  const places = await deadPage(connection, keys, { limit: most, behind });
  const page = places.slice(0, most - 1);
  const stored = await readLetters(
    { connection },
    keys,
    page.map(({ entry }) => entry),
  );
  const last = page.at(-1);
  return {
    items: page.flatMap((place, index) => letterOf(place, queue, stored[index])),
    next:
      last === undefined || places.length < most
        ? null
        : writeCursor({ list: "dead", keys: [last.diedAt, Number(last.entry)] }),
  };
}

/** Puts dead letters back at the tail; answers how many. */
export async function redriveDead(store: Store, queue: string, redrives: readonly Redrive[]): Promise<number> {
  const { connection, queues, tags } = store;
  const keys = queues.keysOf(queue);
  const known = redrives.filter(({ entryId }) => isEntryId(entryId));
  return inSteps(known, async (step) => {
    const stored = await readLetters(
      store,
      keys,
      step.map(({ entryId }) => entryOf(entryId)),
    );
    const revived = step.flatMap(({ entryId, headers }, index): readonly Revived[] => {
      const letter = stored[index];
      if (letter === undefined || "malformed" in decodeBytes(letter.raw, queue)) return [];
      const text = reencodeEnvelope(letter.raw.toString(), { queue, deliveryTag: tags.next(), headers });
      return text === undefined ? [] : [{ entry: entryOf(entryId), list: letter.list, text }];
    });
    return revived.length === 0 ? 0 : await redrive(connection, keys, revived);
  });
}

/** Deletes dead letters; answers how many. */
export async function dropDead(
  { connection, queues }: Store,
  queue: string,
  entryIds: readonly string[],
): Promise<number> {
  const keys = queues.keysOf(queue);
  const entries = entryIds.filter(isEntryId).map(entryOf);
  return inSteps(entries, (step) => drop(connection, keys, step));
}

async function readLetters(
  { connection }: Pick<Store, "connection">,
  { dead }: QueueKeys,
  entries: readonly string[],
): Promise<readonly (StoredLetter | undefined)[]> {
  if (entries.length === 0) return [];
  const stored = (await connection.callBuffer("hmget", dead, ...entries)) as (Buffer | null)[]; // what HMGET answers
  return stored.map((bytes) => (bytes === null ? undefined : storedLetterOf(bytes)));
}

/** Time of death, list and length of the reason, then reason and message. */
function storedLetterOf(bytes: Buffer): StoredLetter {
  const [head, list, reasonBytes] = /^\d{1,16}:([0-3]):(\d{1,9}):/.exec(bytes.toString("latin1", 0, 40)) ?? [];
  if (head === undefined) return { list: 0, reason: parseDeadReason(""), raw: bytes };
  const end = head.length + Number(reasonBytes);
  return {
    list: Number(list),
    reason: parseDeadReason(bytes.toString("utf8", head.length, end)),
    raw: bytes.subarray(end),
  };
}

/** None, when it is gone by now. */
function letterOf(
  { entry, diedAt }: DeadPlace,
  queue: string,
  letter: StoredLetter | undefined,
): readonly DeadLetter[] {
  if (letter === undefined) return [];
  const { reason, raw } = letter;
  return [{ entryId: String(Number(entry)), message: decodeBytes(raw, queue), reason, diedAt, size: raw.length }];
}

/** As the store writes it: as many digits for each. */
function entryOf(entryId: string | number): string {
  return String(entryId).padStart(16, "0");
}

function isEntryId(text: string): boolean {
  return /^[1-9]\d{0,14}$/.test(text);
}

async function inSteps<T>(all: readonly T[], run: (step: readonly T[]) => Promise<number>): Promise<number> {
  let sum = 0;
  for (let at = 0; at < all.length; at += atOnce) sum += await run(all.slice(at, at + atOnce));
  return sum;
}
