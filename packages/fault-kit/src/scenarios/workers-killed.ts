import { expect } from "vitest";
import type { Load } from "../load.ts";
import { recoveryTimes, unanswered, type Verdict } from "../verdict.ts";
import type { World } from "../world.ts";

/**
 * Workers are killed, two at a time: nothing is lost, and no more runs twice than was running. What they were running is started
 * elsewhere within `recoveredWithinMs`.
 * @param atHand messages that one worker may hold
 */
export async function killWorkers(
  world: World,
  load: Load,
  {
    rounds,
    atHand,
    recoveredWithinMs,
  }: { readonly rounds: number; readonly atHand: number; readonly recoveredWithinMs: number },
): Promise<Verdict> {
  const deaths: { readonly pid: number; readonly at: number }[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const first = load.fleet.pick(world.random());
    const others = load.fleet.workers.filter((worker) => worker !== first);
    const victims = [first, ...others.slice(0, 1)];
    deaths.push(...victims.map(({ pid }) => ({ pid, at: Date.now() })));
    await Promise.all(victims.map((victim) => victim.kill()));
    await load.fullStrength();
  }
  const verdict = await load.finish();
  const running = deaths.reduce((sum, { pid }) => sum + unanswered(load.history, pid), 0);
  expect(verdict.duplicates).toBeLessThanOrEqual(running);
  expect(running).toBeLessThanOrEqual(deaths.length * atHand);
  const times = deaths.flatMap(({ pid, at }) => recoveryTimes(load.history, pid, at));
  expect(times.length).toBeGreaterThan(0);
  expect(Math.max(...times)).toBeLessThan(recoveredWithinMs);
  return verdict;
}
