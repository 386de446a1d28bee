import { Mutant } from "@q/fault-kit";
import { expect, inject, test } from "vitest";
import { rows } from "../rows/index.ts";
import { expectHolds, testRow } from "../run-row.ts";
import { allKilled } from "./all-killed.ts";
import { chaos } from "./chaos.ts";
import { delaysRow } from "./delays.ts";
import { failovers } from "./failovers.ts";
import { flapping } from "./flapping.ts";
import { fuzzRows } from "./fuzz.ts";
import { largeMessages } from "./large-messages.ts";
import { leakRow } from "./leak.ts";
import { longOutage } from "./long-outage.ts";
import { millionWaiting } from "./million-waiting.ts";
import { mutations, place } from "./mutations.ts";
import { networkRows } from "./network.ts";
import { poisonWays } from "./poison-ways.ts";
import { promotedReplica } from "./promoted-replica.ts";
import { serverEmptied } from "./server-emptied.ts";
import { shortFreeze } from "./short-freeze.ts";
import { slowConsumer } from "./slow-consumer.ts";
import { slowNetwork } from "./slow-network.ts";
import { wrongClocks } from "./wrong-clocks.ts";
import { zombieRow } from "./zombies.ts";

declare module "vitest" {
  interface ProvidedContext {
    readonly faults: { readonly seed: number; readonly only: string | null };
  }
}

const { seed, only } = inject("faults");
const isWanted = (row: string): boolean => only === null || only.split(",").includes(row.split(",")[0] ?? row);

const nightly = [
  allKilled,
  shortFreeze,
  serverEmptied,
  ...networkRows,
  ...promotedReplica,
  ...failovers,
  longOutage,
  delaysRow,
  ...poisonWays,
  zombieRow,
  leakRow,
  wrongClocks,
  slowNetwork,
  flapping,
  ...fuzzRows,
  ...largeMessages,
  ...millionWaiting,
  slowConsumer,
  ...chaos,
];

for (const row of [...rows, ...nightly]) if (isWanted(row.row)) testRow(row, { seed });

for (const mutation of isWanted("64") ? mutations : []) {
  const { name, seenBy, seenAs } = mutation;
  test(`row 64: row ${seenBy.row} fails when ${name}`, { timeout: 240_000 }, async () => {
    const mutant = await Mutant.build(mutation, place);
    try {
      await expect(expectHolds(seenBy, { seed, brokerModule: mutant.module })).rejects.toThrow(seenAs);
    } finally {
      await mutant.remove();
    }
  });
}
