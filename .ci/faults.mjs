// `npm run faults`: the whole fault matrix of the brokers, the rows that take long too. `--broker redis` only that one's,
// `--seed 7` draws the same lots again, `--only 4,63` runs some rows.
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startVitest } from "vitest/node";

const root = fileURLToPath(new URL("..", import.meta.url));
// pnpm hands on the two dashes, npm does not.
const args = process.argv.slice(2).filter((arg) => arg !== "--");
const { values } = parseArgs({
  args,
  options: { broker: { type: "string" }, seed: { type: "string" }, only: { type: "string" } },
});
const seed = values.seed === undefined ? Date.now() % 1_000_000 : Number(values.seed);
const conditions = ["@q/source", "module", "node", "development|production"];

console.log(`faults with seed ${seed}: \`--seed ${seed}\` draws the same lots again`);
const nights = readdirSync(`${root}packages`)
  .filter((folder) => values.broker === undefined || folder === `broker-${values.broker}`)
  .map((folder) => `packages/${folder}/test/faults/night/night.ts`);
const vitest = await startVitest(
  "test",
  [],
  {
    config: false,
    watch: false,
    root,
    include: nights,
    // One after the other: each row needs the machine.
    fileParallelism: false,
    reporters: ["verbose"],
    provide: { faults: { seed, only: values.only ?? null } },
  },
  { resolve: { conditions }, ssr: { resolve: { conditions } } },
);
await vitest.close();
