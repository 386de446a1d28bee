// pnpm bench: measures, prints the tables, writes the results.
import { mkdirSync, writeFileSync } from "node:fs";
import { readArguments } from "./bench-arguments.ts";
import { describeMachine, versionOf } from "./machine.ts";
import { measure } from "./measure.ts";
import { loadPeer } from "./peers.ts";
import { RedisField } from "./redis-field.ts";
import { report } from "./report.ts";
import type { PeerFacts, Results } from "./results.ts";
import { targets } from "./targets.ts";
import { wholeLife } from "./whole-life.ts";
import { workloads } from "./workloads.ts";

const { isQuick, repeats, peers, workloads: wanted, tasks, name } = readArguments(process.argv.slice(2));
const field = await RedisField.open();
try {
  const machine = describeMachine(await field.version());
  const measured = await measure(field, {
    isQuick,
    repeats,
    peers,
    tasks,
    workloads: workloads.filter((one) => wanted.length === 0 || wanted.some((part) => one.name.includes(part))),
    onStep: (what) => console.error(what),
  });
  const results: Results = {
    date: new Date().toISOString(),
    isQuick,
    repeats,
    machine,
    peers: await Promise.all(peers.map(factsOf)),
    targets,
    measurements: [...measured, ...wholeLife(measured)],
  };
  const text = report(results);
  console.log(text);
  if (name !== undefined) write(name, results, text);
} finally {
  await field.close();
}

async function factsOf(peer: string): Promise<PeerFacts> {
  const { name: title, packages, settings } = await loadPeer(peer);
  const versions = Object.fromEntries(packages.map((packageName) => [packageName, versionOf(packageName)]));
  return { name: peer, title, versions, settings };
}

function write(fileName: string, results: Results, text: string): void {
  const folder = new URL("../results/", import.meta.url);
  mkdirSync(folder, { recursive: true });
  writeFileSync(new URL(`${fileName}.json`, folder), `${JSON.stringify(results, null, 2)}\n`);
  writeFileSync(new URL(`${fileName}.md`, folder), text);
}
