import { whyNot, type Check } from "./check.ts";
import type { Harness } from "./harness.ts";
import { within } from "./wait.ts";
import { World } from "./world.ts";

export type CheckResult = { readonly kind: "passed" } | { readonly kind: "skipped"; readonly reason: string };

/** So many waits of full length fit into one check. */
const waitsPerCheck = 6;

/** Milliseconds after which `runCheck` gives up on a check. */
export function longestCheckMs(harness: Harness): number {
  const { soonMs, secondRecoveryMs, quietMs } = new World(harness);
  return waitsPerCheck * (soonMs + secondRecoveryMs + quietMs);
}

/**
 * Runs one check in a world of its own. For other test runners than vitest, which `testBroker` serves.
 * @throws AssertionError when the law is broken; whatever the broker throws where it must not
 */
export async function runCheck(check: Check, harness: Harness): Promise<CheckResult> {
  const world = new World(harness);
  const limitMs = longestCheckMs(harness);
  try {
    const reason = whyNot(check, harness, await world.create());
    if (reason !== undefined) return { kind: "skipped", reason };
    await within(check.run(world), limitMs, `the check ends: ${check.name}`);
  } catch (error) {
    // A broken broker may fail to clean up as well; what matters is the first failure.
    await within(world.cleanUp(), world.soonMs, "cleaning up ends").catch(() => undefined);
    throw error;
  }
  await within(world.cleanUp(), limitMs, "every broker closes and the harness cleans up");
  return { kind: "passed" };
}
