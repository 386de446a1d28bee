// pnpm bench: measures, prints the tables, writes the results, draws the charts.
import { mkdirSync, writeFileSync } from "node:fs";
import { readArguments, usage, type BenchArguments } from "./bench-arguments.ts";
import { choosePeers } from "./choose-peers.ts";
import { chooseWorkloads } from "./choose-workloads.ts";
import { drawResults } from "./draw-results.ts";
import { Field } from "./field.ts";
import type { FieldName } from "./field-name.ts";
import { growthOf } from "./growth.ts";
import { describeMachine } from "./machine.ts";
import { measure } from "./measure.ts";
import { versionsOf } from "./peer-versions.ts";
import { loadAnyPeer } from "./peers.ts";
import { report } from "./report.ts";
import type { PeerFacts, Results } from "./results.ts";
import { missingProgram } from "./servers.ts";
import { targets } from "./targets.ts";
import { wholeLife } from "./whole-life.ts";
import { workloads } from "./workloads.ts";

const args = argumentsOrEnd();
const { isQuick, repeats, tasks, suffix } = args;
const folder = new URL("../", import.meta.url);
for (const field of args.onlyDraws ? [] : args.fields) {
  const peers = await choosePeers(field, args, (why) => console.error(why));
  if (peers.length === 0) continue;
  const missing = missingProgram(field);
  if (missing !== undefined) {
    console.error(`${field} is left out: ${missing} is not installed`);
    continue;
  }
  const results = await run(field, peers);
  const text = report(results);
  console.log(text);
  if (suffix !== undefined) write(`${field}${suffix}`, results, text);
}
if (args.onlyDraws || suffix === "") drawResults(folder);

function argumentsOrEnd(): BenchArguments {
  try {
    const read = readArguments(process.argv.slice(2));
    if (!read.asksForHelp) return read;
    console.log(usage);
    process.exit(0);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    process.exit(2);
  }
}

async function run(name: FieldName, peers: readonly string[]): Promise<Results> {
  const field = await Field.open(name);
  try {
    const machine = describeMachine(await field.describe());
    const { chosen, left } = chooseWorkloads(workloads[name], args);
    if (left.length > 0) console.error(`${name}, in full runs only: ${left.map((one) => one.name).join("; ")}`);
    const measured = await measure(field, {
      isQuick,
      repeats,
      peers,
      tasks,
      workloads: chosen,
      onStep: (what) => console.error(`${name}, ${what}`),
    });
    return {
      field: name,
      date: new Date().toISOString(),
      isQuick,
      repeats,
      machine,
      peers: await Promise.all(peers.map((peer) => factsOf(name, peer))),
      targets: targets[name],
      measurements: [...measured, ...wholeLife(measured), ...growthOf(measured)],
    };
  } finally {
    await field.close();
  }
}

async function factsOf(field: FieldName, peer: string): Promise<PeerFacts> {
  const loaded = await loadAnyPeer(field, peer);
  const { name: title, settings } = loaded;
  return { name: peer, title, versions: versionsOf(loaded) ?? {}, settings };
}

function write(fileName: string, results: Results, text: string): void {
  mkdirSync(new URL("results/", folder), { recursive: true });
  writeFileSync(new URL(`results/${fileName}.json`, folder), `${JSON.stringify(results, null, 2)}\n`);
  writeFileSync(new URL(`results/${fileName}.md`, folder), text);
}
