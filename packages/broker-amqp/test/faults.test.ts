import { afterAll } from "vitest";
import { rows } from "./faults/rows/index.ts";
import { testRow } from "./faults/run-row.ts";
import { stopNode } from "./faults/world.ts";

// One after the other: each needs the machine. `npm run faults` runs those that take longer.
for (const row of rows) testRow(row, { seed: 1 });

afterAll(stopNode);
