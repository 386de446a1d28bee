import { expectHolds as expectFaultHolds, testRow as testFaultRow, type WorldOptions } from "@q/fault-kit";
import { World, type Row } from "./world.ts";

/** Makes a test of a row. */
export function testRow(row: Row, options: WorldOptions): void {
  testFaultRow(row, () => new World(options), ["rabbitmq-server"]);
}

/** @throws Error when the row does not hold */
export async function expectHolds(row: Row, options: WorldOptions): Promise<void> {
  await expectFaultHolds(row, new World(options));
}
