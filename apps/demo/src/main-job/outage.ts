import { setTimeout as wait } from "node:timers/promises";
import type { EventStore } from "../stores/event-store.ts";

const shortestMs = 150;
const longestMs = 2000;
/** Not all of them would be saved in the end: some are of the kind that is ignored. */
const enoughRetries = 5;

/**
 * Makes the event database unavailable for writers by really holding its write lock, until some tasks have been retried for it.
 * @param retries how many retries there have been
 * @returns milliseconds that it was away
 */
export async function lockEventDatabase(events: EventStore, retries: () => number): Promise<number> {
  const enough = retries() + enoughRetries;
  const release = await events.takeWriteLock();
  const startedAt = performance.now();
  const passedMs = (): number => performance.now() - startedAt;
  while (passedMs() < shortestMs || (retries() < enough && passedMs() < longestMs)) await wait(10);
  release();
  return passedMs();
}
