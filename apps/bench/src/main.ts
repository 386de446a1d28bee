// pnpm bench: measures, prints the tables, writes the results.
import { mkdirSync, writeFileSync } from "node:fs";
import { readArguments } from "./bench-arguments.ts";
import { Field } from "./field.ts";
import type { FieldName } from "./field-name.ts";
import { describeMachine, versionOf } from "./machine.ts";
import { measure } from "./measure.ts";
import { loadPeer, peerNames } from "./peers.ts";
import { report } from "./report.ts";
import type { PeerFacts, Results } from "./results.ts";
import { targets } from "./targets.ts";
import { wholeLife } from "./whole-life.ts";
import { workloads } from "./workloads.ts";

const {
  fields,
  isQuick,
  repeats,
  peers: wantedPeers,
  workloads: wanted,
  tasks,
  suffix,
} = readArguments(process.argv.slice(2));
for (const field of fields) {
  const peers = peerNames(field).filter((peer) => wantedPeers.length === 0 || wantedPeers.includes(peer));
  if (peers.length === 0) continue;
  const results = await run(field, peers);
  const text = report(results);
  console.log(text);
  if (suffix !== undefined) write(`${field}${suffix}`, results, text);
}

async function run(name: FieldName, peers: readonly string[]): Promise<Results> {
  const field = await Field.open(name);
  try {
    const machine = describeMachine(await field.describe());
    const measured = await measure(field, {
      isQuick,
      repeats,
      peers,
      tasks,
      workloads: workloads[name].filter((one) => wanted.length === 0 || wanted.some((part) => one.name.includes(part))),
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
      measurements: [...measured, ...wholeLife(measured)],
    };
  } finally {
    await field.close();
  }
}

async function factsOf(field: FieldName, peer: string): Promise<PeerFacts> {
  const { name: title, packages, settings } = await loadPeer(field, peer);
  const versions = Object.fromEntries(packages.map((packageName) => [packageName, versionOf(packageName)]));
  return { name: peer, title, versions, settings };
}

function write(fileName: string, results: Results, text: string): void {
  const folder = new URL("../results/", import.meta.url);
  mkdirSync(folder, { recursive: true });
  writeFileSync(new URL(`${fileName}.json`, folder), `${JSON.stringify(results, null, 2)}\n`);
  writeFileSync(new URL(`${fileName}.md`, folder), text);
}
