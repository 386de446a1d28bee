import { Mutant } from "@q/fault-kit";
import { expect, inject, test } from "vitest";
import { rows } from "../rows/index.ts";
import { expectHolds, testRow } from "../run-row.ts";
import { allKilled } from "./all-killed.ts";
import { chaos } from "./chaos.ts";
import { mutations, place } from "./mutations.ts";
import { networkRows } from "./network.ts";
import { serverEmptied } from "./server-emptied.ts";
import { shortFreeze } from "./short-freeze.ts";

declare module "vitest" {
  interface ProvidedContext {
    readonly faults: { readonly seed: number; readonly only: string | null };
  }
}

const { seed, only } = inject("faults");
const isWanted = (row: string): boolean => only === null || only.split(",").includes(row.split(",")[0] ?? row);

for (const row of [...rows, allKilled, shortFreeze, serverEmptied, ...networkRows, chaos])
  if (isWanted(row.row)) testRow(row, { seed });

for (const mutation of isWanted("64") ? mutations : []) {
  const { name, seenBy, seenAs } = mutation;
  test(`row 64: row ${seenBy.row} fails when ${name}`, { timeout: 120_000 }, async () => {
    const mutant = await Mutant.build(mutation, place);
    try {
      await expect(expectHolds(seenBy, { seed, brokerModule: mutant.module })).rejects.toThrow(seenAs);
    } finally {
      await mutant.remove();
    }
  });
}
