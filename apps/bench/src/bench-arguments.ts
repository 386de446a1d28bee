import { parseArgs } from "node:util";
import { fieldNames, type FieldName } from "./field-name.ts";
import { peerNames } from "./peers.ts";
import { workloads } from "./workloads.ts";

export const usage: string = `npm run bench -- [options]

--quick            once, the most telling workloads
--field NAMES      ${fieldNames.join(", ")}, or a part of a name
--peers NAMES      of those that are on the fields
--workloads PART   what the name of a workload contains; may be given several times
--repeats COUNT    default 5, with --quick 1
--tasks COUNT      most tasks of a workload, to see that it works
--name NAME        writes the results under it, also those of a part
--draw             draws the charts from the results that are there`;

export interface BenchArguments {
  /** Only to say what there is. */
  readonly asksForHelp: boolean;
  /** Only to draw the charts again, from the results that are there. */
  readonly onlyDraws: boolean;
  readonly fields: readonly FieldName[];
  readonly isQuick: boolean;
  readonly repeats: number;
  /** Names of the peers that take part, each on the fields where it is; empty is all of them. */
  readonly peers: readonly string[];
  /** What the name of a workload contains; empty is all of them. */
  readonly workloads: readonly string[];
  /** Most tasks of a workload; with few, it is seen whether it works, and no more. */
  readonly tasks: number;
  /** What follows the field in the names of the files of the results; `undefined` writes none. */
  readonly suffix: string | undefined;
}

const options = {
  field: { type: "string" },
  quick: { type: "boolean" },
  repeats: { type: "string" },
  peers: { type: "string" },
  // Their names have commas.
  workloads: { type: "string", multiple: true },
  tasks: { type: "string" },
  name: { type: "string" },
  draw: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

/** @throws Error that says what there is */
export function readArguments(args: readonly string[]): BenchArguments {
  const { values } = parseArgs({ args: [...args], options });
  const isQuick = values.quick ?? false;
  const fields = readFields(values.field);
  const peers = values.peers?.split(",") ?? [];
  const known = new Set(fields.flatMap(peerNames));
  const stranger = peers.find((peer) => !known.has(peer));
  if (stranger !== undefined) throw new Error(`no peer is called "${stranger}": ${[...known].join(", ")}`);
  const parts = values.workloads ?? [];
  // Of all fields: some are not on every one.
  const titles = new Set(fieldNames.flatMap((field) => workloads[field].map(({ name }) => name)));
  const unheard = parts.find((part) => ![...titles].some((title) => title.includes(part)));
  if (unheard !== undefined) throw new Error(`no workload has "${unheard}" in its name: ${[...titles].join("; ")}`);
  const repeats = countOf("repeats", values.repeats) ?? (isQuick ? 1 : 5);
  const tasks = countOf("tasks", values.tasks) ?? Infinity;
  const isWhole = values.peers === undefined && values.workloads === undefined && tasks === Infinity;
  const name = values.name ?? (isQuick ? "quick" : "");
  const suffix = values.name === undefined && !isWhole ? undefined : name === "" ? "" : `-${name}`;
  return {
    asksForHelp: values.help ?? false,
    onlyDraws: values.draw ?? false,
    fields,
    isQuick,
    repeats,
    peers,
    workloads: parts,
    tasks,
    suffix,
  };
}

/** Those whose names contain one of the parts. */
function readFields(text: string | undefined): readonly FieldName[] {
  if (text === undefined) return fieldNames;
  const parts = text.split(",");
  const stranger = parts.find((part) => part === "" || !fieldNames.some((name) => name.includes(part)));
  if (stranger !== undefined) throw new Error(`no field is called "${stranger}": ${fieldNames.join(", ")}`);
  return fieldNames.filter((name) => parts.some((part) => name.includes(part)));
}

function countOf(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1) return count;
  throw new Error(`expected --${option} to be a count, got "${text}"`);
}
