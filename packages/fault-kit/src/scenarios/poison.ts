import { expect } from "vitest";
import { eventually } from "../eventually.ts";
import type { Load } from "../load.ts";

/**
 * Some messages kill every worker that runs them: those are dead after three deaths each, and nobody else.
 * @param deadIds what the broker has among its dead letters: who buries one may be killed by the next before he notes it
 */
export async function sendPoison(
  load: Load,
  poisons: number,
  deadIds: () => Promise<ReadonlySet<string>>,
): Promise<void> {
  const killer = load.startProducer("poison", {
    count: poisons,
    tasks: { retryEvery: 0, delayEvery: 0, kills: "start" },
  });
  await killer.exited;
  let dead = await deadIds();
  await eventually(
    "the poisons are dead",
    60_000,
    async () => (dead = await deadIds()).size >= poisons,
    () => `, only ${[...dead].join(", ")}`,
  );
  const innocent = [...dead].filter((id) => !id.startsWith("poison"));
  expect(innocent.map((id) => load.history.read().traces.get(id)?.events)).toEqual([]);
  for (const id of dead) load.history.read().noteDead(id);
  await load.fullStrength();
  const verdict = await load.finish();
  expect(verdict.dead.filter((id) => !id.startsWith("poison"))).toEqual([]);
  expect(verdict.dead).toHaveLength(poisons);
  const crashes = load.history.of("start").filter(({ id }) => id?.startsWith("poison"));
  expect(crashes.length).toBeLessThanOrEqual(3 * poisons);
}
