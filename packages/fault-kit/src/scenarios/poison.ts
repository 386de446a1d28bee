import { expect } from "vitest";
import { eventually } from "../eventually.ts";
import type { Load } from "../load.ts";

/** Some messages kill every worker that runs them: those are dead after three deaths each, and nobody else. */
export async function sendPoison(load: Load, poisons: number): Promise<void> {
  const killer = load.startProducer("poison", {
    count: poisons,
    tasks: { retryEvery: 0, delayEvery: 0, kills: "start" },
  });
  await killer.exited;
  const dead = (): number => load.history.read().of("dead").length;
  await eventually(
    "the poisons are dead",
    60_000,
    () => dead() >= poisons,
    () => `, only ${dead()}`,
  );
  await load.fullStrength();
  const verdict = await load.finish();
  expect(verdict.dead.filter((id) => !id.startsWith("poison"))).toEqual([]);
  expect(verdict.dead).toHaveLength(poisons);
  const crashes = load.history.of("start").filter(({ id }) => id?.startsWith("poison"));
  expect(crashes.length).toBeLessThanOrEqual(3 * poisons);
}
