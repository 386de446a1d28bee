import { isInstalled } from "@q/test-servers";
import { test } from "vitest";
import type { World } from "./world.ts";

/** One row of the fault matrix. */
export interface Row<W extends World> {
  /** Of the matrix. */
  readonly row: string;
  /** What must hold. */
  readonly name: string;
  /** What would go wrong without. */
  readonly why: string;
  /** Longest time, on a busy machine. Milliseconds. Default four minutes. */
  readonly withinMs?: number;
  /** A program without which it cannot be tried. */
  readonly needs?: string;
  run(world: W): Promise<void>;
}

/** Makes a test of a row, that is skipped where a program that it or its world needs is not installed. */
export function testRow<W extends World>(row: Row<W>, create: () => W, programs: readonly string[]): void {
  const { withinMs = 240_000, needs } = row;
  test(`row ${row.row}: ${row.name}`, { timeout: withinMs }, async ({ skip }) => {
    for (const program of needs === undefined ? programs : [...programs, needs])
      skip(!isInstalled(program), `no ${program} here`);
    await expectHolds(row, create());
  });
}

/**
 * Runs a row in its world, which is over then. What its processes have warned of is shown when it fails.
 * @throws Error when the row does not hold
 */
export async function expectHolds<W extends World>(row: Row<W>, world: W): Promise<void> {
  try {
    await row.run(world);
  } catch (error) {
    console.error(`row ${row.row}, seed ${world.seed}\n${world.warnings}`);
    throw error;
  } finally {
    await world.close();
  }
}
