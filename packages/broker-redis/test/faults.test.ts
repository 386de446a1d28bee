import { rows } from "./faults/rows/index.ts";
import { testRow } from "./faults/run-row.ts";

// One after the other: each needs the machine. `pnpm faults` runs those that take longer.
for (const row of rows) testRow(row, { seed: 1 });
