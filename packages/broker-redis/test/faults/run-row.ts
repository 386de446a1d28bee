import { isInstalled } from "@q/test-servers";
import { test } from "vitest";
import { World, type Row, type WorldOptions } from "./world.ts";

/** Makes a test of a row. What its processes have warned of is shown when it fails. */
export function testRow(row: Row, options: WorldOptions): void {
  const { withinMs = 120_000, needs } = row;
  test(`row ${row.row}: ${row.name}`, { timeout: withinMs }, async ({ skip }) => {
    for (const program of needs === undefined ? ["redis-server"] : ["redis-server", needs])
      skip(!isInstalled(program), `no ${program} here`);
    await expectHolds(row, options);
  });
}

/** @throws Error when the row does not hold */
export async function expectHolds(row: Row, options: WorldOptions): Promise<void> {
  const world = new World(options);
  try {
    await row.run(world);
  } catch (error) {
    console.error(`row ${row.row}, seed ${options.seed}\n${world.warnings}`);
    throw error;
  } finally {
    await world.close();
  }
}
