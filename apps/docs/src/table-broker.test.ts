import { describe, expect, test } from "vitest";
import { areas, runCheck, type Harness, type HarnessWorld, type Need } from "@q/broker-testkit";
import { Table } from "../examples/table.ts";
import { TableBroker } from "../examples/table-broker.ts";

const tables = new WeakMap<HarnessWorld, Table>();
const leaseMs = 600;

function tableOf(world: HarnessWorld): Table {
  const table = tables.get(world) ?? new Table();
  tables.set(world, table);
  return table;
}

const harness: Harness = {
  create: (world) => new TableBroker(tableOf(world), leaseMs),
  crash: (broker: TableBroker) => broker.crash(),
  expire: (broker: TableBroker) => broker.expire(),
  inject: (world, queue, raw) => tableOf(world).add({ queue, raw, malformed: "not a message" }),
  latenessMs: 100,
  recoveryMs: 2 * leaseMs,
};

/** The example has none of a broker's optional parts, and nothing that could be cut off. */
const offered: readonly Need[] = ["crash", "expire", "inject"];

for (const [area, checks] of Object.entries(areas)) {
  const applicable = checks.filter(({ needs = [] }) => needs.every((need) => offered.includes(need)));
  if (applicable.length === 0) continue;
  describe.concurrent(`table broker, ${area}`, () => {
    test.each(applicable.map((check) => [check.name, check] as const))("%s", async (_name, check) => {
      expect(await runCheck(check, harness)).toEqual({ kind: "passed" });
    });
  });
}
