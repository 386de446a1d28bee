import { BrokerError } from "./broker-error.ts";

/** Where a page ended: the list that it was in and the numbers by which that list is sorted. */
export interface Place {
  readonly list: string;
  readonly keys: readonly number[];
}

/** A place as a text, for `Page.next`. */
export function writeCursor({ list, keys }: Place): string {
  return [list, ...keys].join(".");
}

/**
 * The place of a cursor, or `undefined` at the beginning.
 * @param lists the lists in which it may be, and by how many numbers each is sorted
 * @throws BrokerError `Q1013` when no page of these lists ended with it
 */
export function readCursor(cursor: string | undefined, lists: Readonly<Record<string, number>>): Place | undefined {
  if (cursor === undefined) return undefined;
  const [list = "", ...texts] = cursor.split(".");
  const keys = texts.map(Number);
  const isWhole = Object.hasOwn(lists, list) && keys.length === lists[list] && keys.every(Number.isSafeInteger);
  if (!isWhole)
    throw new BrokerError("Q1013", `${JSON.stringify(cursor)} is not a cursor of this list`, {
      hint: "start again without one",
    });
  return { list, keys };
}

/** Rows to read for a page: one more than it shows, to know whether another page follows. */
export function rowsFor(limit: number): number {
  return Math.min(Math.max(Math.trunc(limit), 1), 1000) + 1;
}
