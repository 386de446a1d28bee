import type { App } from "@q/core";
import type { DeadLetter, QueueInspector } from "@q/core/broker";
import { NotFoundError, UsageError } from "./cli-errors.ts";
import { selectQueues } from "./known-queues.ts";
import { messageIdOf, taskNameOf } from "./message-summary.ts";
import { formatCount } from "./output/numbers.ts";
import { printable } from "./output/printable.ts";

/** A dead letter with the queue it lies in. */
export interface FoundLetter {
  readonly queue: string;
  readonly letter: DeadLetter;
}

export interface DeadFilter {
  /** Empty: all. */
  readonly queues: readonly string[];
  readonly task?: string | undefined;
  /** Epoch milliseconds: only what was dead by then. */
  readonly diedBy?: number | undefined;
}

const pageSize = 500;
const shortestPrefix = 8;
/** In an error. */
const mostNamed = 5;

/**
 * The dead letters that pass the filter, queue by queue, the newest of each first. Reads page by page: there may be a million of them.
 * @throws NotFoundError `Q2003` for a queue that does not exist
 */
export async function* eachDead(app: App, inspector: QueueInspector, filter: DeadFilter): AsyncGenerator<FoundLetter> {
  for (const queue of await selectQueues(app, inspector, filter.queues)) {
    let cursor: string | undefined;
    do {
      const page = await inspector.deadLetters(queue, { limit: pageSize, ...(cursor === undefined ? {} : { cursor }) });
      for (const letter of page.items) if (passes(letter, filter)) yield { queue, letter };
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
  }
}

function passes({ message, diedAt }: DeadLetter, { task, diedBy = Infinity }: DeadFilter): boolean {
  return diedAt <= diedBy && (task === undefined || taskNameOf(message) === task);
}

/**
 * The newest ones over all queues.
 * @throws NotFoundError `Q2003`
 */
export async function newestDead(
  app: App,
  inspector: QueueInspector,
  filter: DeadFilter & { readonly limit: number },
): Promise<readonly FoundLetter[]> {
  const found: FoundLetter[] = [];
  for (const queue of await selectQueues(app, inspector, filter.queues)) {
    let taken = 0;
    for await (const one of eachDead(app, inspector, { ...filter, queues: [queue] })) {
      found.push(one);
      taken += 1;
      if (taken === filter.limit) break;
    }
  }
  return found.toSorted((one, other) => other.letter.diedAt - one.letter.diedAt).slice(0, filter.limit);
}

export interface NamedLetters {
  /** Message ids, entry ids, or the first eight or more characters of either. A message that died twice has two letters. */
  readonly words: readonly string[];
  /** Where to look; empty is everywhere. */
  readonly queues: readonly string[];
  /** Whether each word must stand for one id: what is changed is not looked at before. */
  readonly isChange: boolean;
}

/**
 * The dead letters that some words name.
 * @throws UsageError `Q2123` before a change, when several ids begin with a word; NotFoundError `Q2105` when a word names none, `Q2003` for a queue that does
 * not exist
 */
export async function deadByIds(
  app: App,
  inspector: QueueInspector,
  { words, queues, isChange }: NamedLetters,
): Promise<readonly FoundLetter[]> {
  const named = await namedBy(app, inspector, words, queues);
  if (isChange) for (const [word, letters] of named) assertOneId(word, letters);
  return [...new Set([...named.values()].flat())];
}

/** Each word with the letters it names: those that are called exactly so, else those whose names begin with it. */
async function namedBy(
  app: App,
  inspector: QueueInspector,
  words: readonly string[],
  queues: readonly string[],
): Promise<ReadonlyMap<string, readonly FoundLetter[]>> {
  const exactly = new Map<string, FoundLetter[]>(words.map((word) => [word, []]));
  const beginning = new Map<string, FoundLetter[]>(words.map((word) => [word, []]));
  for await (const one of eachDead(app, inspector, { queues })) {
    for (const [word, letters] of exactly) {
      if (namesOf(one).includes(word)) letters.push(one);
      else if (isBeginning(word, one)) beginning.get(word)?.push(one);
    }
  }
  return new Map(
    words.map((word) => {
      const letters = [exactly, beginning].map((found) => found.get(word) ?? []).find(({ length }) => length > 0);
      if (letters !== undefined) return [word, letters];
      throw new NotFoundError("Q2105", `no dead task has the id "${word}"`, {
        hint: "q dead list shows them; it may have been retried or dropped meanwhile",
      });
    }),
  );
}

function namesOf({ letter: { entryId, message } }: FoundLetter): readonly string[] {
  const id = messageIdOf(message);
  return id === null ? [entryId] : [id, entryId];
}

function isBeginning(word: string, one: FoundLetter): boolean {
  // A list on a narrow terminal ends what it has cut in an ellipsis.
  const start = word.replace(/…$/, "");
  return start.length >= shortestPrefix && namesOf(one).some((name) => name.startsWith(start));
}

function assertOneId(word: string, letters: readonly FoundLetter[]): void {
  const ids = [...new Set(letters.map((one) => printable(namesOf(one)[0] ?? "")))];
  if (ids.length === 1) return;
  const more = ids.length > mostNamed ? `, and ${formatCount(ids.length - mostNamed)} more` : "";
  throw new UsageError("Q2123", `"${word}" is the beginning of ${formatCount(ids.length)} ids of dead tasks`, {
    hint: "write out the one that is meant; for all that the filters leave: --all --task <name>",
    details: { ids: `${ids.slice(0, mostNamed).join(", ")}${more}` },
  });
}

/** One line about a dead letter, for questions and dry runs. */
export function describeLetter({ queue, letter }: FoundLetter): string {
  const id = printable(messageIdOf(letter.message) ?? letter.entryId);
  return `${id}  ${taskNameOf(letter.message)}  ${printable(queue)}  ${printable(letter.reason.code)}`;
}
