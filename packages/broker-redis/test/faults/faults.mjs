// `pnpm faults`: the whole fault matrix, the rows that take long too. `--seed 7` draws the same lots again, `--only 4,63` runs some rows.
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startVitest } from "vitest/node";

const { values } = parseArgs({ options: { seed: { type: "string" }, only: { type: "string" } } });
const seed = values.seed === undefined ? Date.now() % 1_000_000 : Number(values.seed);
const conditions = ["@q/source", "module", "node", "development|production"];

console.log(`faults with seed ${seed}: \`--seed ${seed}\` draws the same lots again`);
const vitest = await startVitest(
  "test",
  [],
  {
    config: false,
    watch: false,
    root: fileURLToPath(new URL(".", import.meta.url)),
    include: ["night/night.ts"],
    reporters: ["verbose"],
    provide: { faults: { seed, only: values.only ?? null } },
  },
  { resolve: { conditions }, ssr: { resolve: { conditions } } },
);
await vitest.close();
