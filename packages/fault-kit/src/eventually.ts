import { setTimeout as pause } from "node:timers/promises";

/**
 * Waits until `check` answers true.
 * @throws Error with `describe()` when that takes longer
 */
export async function eventually(
  what: string,
  withinMs: number,
  check: () => boolean | Promise<boolean>,
  describe: () => string = () => "",
): Promise<void> {
  const until = performance.now() + withinMs;
  while (!(await check())) {
    if (performance.now() >= until) throw new Error(`not within ${withinMs} ms: ${what}${describe()}`);
    await pause(20);
  }
}
