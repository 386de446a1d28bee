import { setTimeout as pause } from "node:timers/promises";

const pollMs = 10;

/**
 * Waits until `check` answers true. That it throws counts as false: a server that is starting refuses much.
 * @param what the sentence to fail with: `"the nodes know each other"`
 * @throws Error when that has not happened within `withinMs` milliseconds, with the last error of `check` as its cause
 */
export async function until(what: string, withinMs: number, check: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    let cause: unknown;
    try {
      if (await check()) return;
    } catch (error) {
      cause = error;
    }
    if (performance.now() >= deadline) throw new Error(`not within ${withinMs} ms: ${what}`, { cause });
    await pause(pollMs);
  }
}
