import { testBroker, type HarnessWorld } from "@q/broker-testkit";
import { Table } from "../examples/table.ts";
import { TableBroker } from "../examples/table-broker.ts";

const tables = new WeakMap<HarnessWorld, Table>();
const leaseMs = 600;

function tableOf(world: HarnessWorld): Table {
  const table = tables.get(world) ?? new Table();
  tables.set(world, table);
  return table;
}

testBroker("table", {
  create: (world) => new TableBroker(tableOf(world), leaseMs),
  crash: (broker: TableBroker) => broker.crash(),
  expire: (broker: TableBroker) => broker.expire(),
  inject: (world, queue, raw) => tableOf(world).add({ queue, raw, malformed: "not a message" }),
  latenessMs: 100,
  recoveryMs: 2 * leaseMs,
});
