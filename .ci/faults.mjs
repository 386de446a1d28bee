// `npm run faults`: the whole fault matrix of the brokers, the rows that take long too. `--broker redis` only that one's,
// `--seed 7` draws the same lots again, `--only 4,63` runs some rows.
import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startVitest } from "vitest/node";

const root = fileURLToPath(new URL("..", import.meta.url));
const brokers = readdirSync(`${root}packages`)
  .filter((folder) => folder.startsWith("broker-"))
  .map((folder) => folder.slice("broker-".length))
  .filter((name) => existsSync(`${root}${nightOf(name)}`));
const { broker, only = null, seed = String(Date.now() % 1_000_000) } = readOptions();
if (broker !== undefined && !brokers.includes(broker)) end(`expected --broker ${brokers.join(", ")}, got ${broker}`);
if (!/^\d{1,15}$/.test(seed)) end(`expected a whole number as --seed, got ${seed}`);
const conditions = ["@q/source", "module", "node", "development|production"];

console.log(`faults with seed ${seed}: \`--seed ${seed}\` draws the same lots again`);
const vitest = await startVitest(
  "test",
  [],
  {
    config: false,
    watch: false,
    root,
    include: (broker === undefined ? brokers : [broker]).map(nightOf),
    // One after the other: each row needs the machine.
    fileParallelism: false,
    reporters: ["verbose"],
    provide: { faults: { seed: Number(seed), only } },
  },
  { resolve: { conditions }, ssr: { resolve: { conditions } } },
);
await vitest.close();

function nightOf(name) {
  return `packages/broker-${name}/test/faults/night/night.ts`;
}

function readOptions() {
  // pnpm hands on the two dashes, npm does not.
  const args = process.argv.slice(2).filter((arg) => arg !== "--");
  const text = { type: "string" };
  try {
    return parseArgs({ args, options: { broker: text, seed: text, only: text } }).values;
  } catch (error) {
    return end(error.message);
  }
}

function end(what) {
  console.error(`${what}\nnpm run faults -- --broker ${brokers.join("|")} --only 4,63 --seed 7`);
  process.exit(2);
}
