import type { App } from "@q/core";
import type { DeadLetter, QueueInspector } from "@q/core/broker";
import { NotFoundError } from "./cli-errors.ts";
import { selectQueues } from "./known-queues.ts";
import { messageIdOf, taskNameOf } from "./message-summary.ts";
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

/**
 * The dead letters that these words name: message ids, entry ids, or the first eight or more characters of either. A message that died twice has two.
 * @throws NotFoundError `Q2105` when a word names none, `Q2003` for a queue that does not exist
 */
export async function deadByIds(
  app: App,
  inspector: QueueInspector,
  ids: readonly string[],
  queues: readonly string[],
): Promise<readonly FoundLetter[]> {
  const found: FoundLetter[] = [];
  const missing = new Set(ids);
  for await (const one of eachDead(app, inspector, { queues })) {
    const named = ids.filter((id) => isNamed(one.letter, id));
    if (named.length > 0) found.push(one);
    for (const id of named) missing.delete(id);
  }
  const [first] = missing;
  if (first === undefined) return found;
  throw new NotFoundError("Q2105", `no dead task has the id "${first}"`, {
    hint: "q dead list shows them; it may have been retried or dropped meanwhile",
  });
}

function isNamed({ entryId, message }: DeadLetter, id: string): boolean {
  // A list on a narrow terminal ends what it has cut in an ellipsis.
  const start = id.replace(/…$/, "");
  const matches = (name: string): boolean => name === id || (start.length >= shortestPrefix && name.startsWith(start));
  const messageId = messageIdOf(message);
  return matches(entryId) || (messageId !== null && matches(messageId));
}

/** One line about a dead letter, for questions and dry runs. */
export function describeLetter({ queue, letter }: FoundLetter): string {
  const id = printable(messageIdOf(letter.message) ?? letter.entryId);
  return `${id}  ${taskNameOf(letter.message)}  ${queue}  ${printable(letter.reason.code)}`;
}
