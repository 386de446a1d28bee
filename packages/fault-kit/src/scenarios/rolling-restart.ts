import { expect } from "vitest";
import type { Load } from "../load.ts";

/** Workers are restarted one after the other, as in a deployment: nothing runs twice, and nothing is counted as a crash. */
export async function restartInTurn(load: Load): Promise<void> {
  for (let round = 0; round < 2; round += 1) {
    for (const worker of load.fleet.workers) {
      await worker.stop();
      await load.fullStrength();
    }
  }
  const { duplicates } = await load.finish();
  expect(duplicates).toBe(0);
  expect(load.fleet.deaths).toBeGreaterThanOrEqual(8);
  const starts = load.history.of("start");
  expect(starts.filter(({ crashes }) => crashes !== 0)).toEqual([]);
  expect(starts.filter(({ retries = 0 }) => retries > 1)).toEqual([]);
}
