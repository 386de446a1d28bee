import { afterAll, inject } from "vitest";
import { nodeStopped } from "../rows/connections-closed.ts";
import { delaysRow } from "../rows/delays.ts";
import { rows } from "../rows/index.ts";
import { serverKilled } from "../rows/server-killed.ts";
import { workersKilled } from "../rows/worker-killed.ts";
import { testRow } from "../run-row.ts";
import { stopNode } from "../world.ts";
import { leaderKilled } from "./leader-killed.ts";
import { partition } from "./partition.ts";

declare module "vitest" {
  interface ProvidedContext {
    readonly faults: { readonly seed: number; readonly only: string | null };
  }
}

const { seed, only } = inject("faults");
const isWanted = (row: string): boolean => only === null || only.split(",").includes(row.split(",")[0] ?? row);

/** Those that end a node and wait for it, need three of them, or run for minutes. */
const nightly = [
  nodeStopped,
  serverKilled("SIGKILL"),
  serverKilled("SIGTERM"),
  delaysRow,
  workersKilled("classic", 10),
  leaderKilled,
  partition,
];
for (const row of [...rows, ...nightly]) if (isWanted(row.row)) testRow(row, { seed });

afterAll(stopNode);
