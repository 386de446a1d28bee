import { parseArgs } from "node:util";
import { peerNames } from "./peers.ts";

export interface BenchArguments {
  readonly isQuick: boolean;
  readonly repeats: number;
  /** Names of the peers that take part. */
  readonly peers: readonly string[];
  /** What the name of a workload contains; empty is all of them. */
  readonly workloads: readonly string[];
  /** Most tasks of a workload; with few, it is seen whether it works, and no more. */
  readonly tasks: number;
  /** Name of the files of the results; `undefined` writes none. */
  readonly name: string | undefined;
}

const options = {
  quick: { type: "boolean" },
  repeats: { type: "string" },
  peers: { type: "string" },
  workloads: { type: "string" },
  tasks: { type: "string" },
  name: { type: "string" },
} as const;

/** @throws Error that says what there is */
export function readArguments(args: readonly string[]): BenchArguments {
  const { values } = parseArgs({ args: [...args], options });
  const isQuick = values.quick ?? false;
  const peers = values.peers?.split(",") ?? peerNames;
  const stranger = peers.find((peer) => !peerNames.includes(peer));
  if (stranger !== undefined) throw new Error(`no peer is called "${stranger}": ${peerNames.join(", ")}`);
  const repeats = countOf("repeats", values.repeats) ?? (isQuick ? 2 : 5);
  const tasks = countOf("tasks", values.tasks) ?? Infinity;
  const isWhole = values.peers === undefined && values.workloads === undefined && tasks === Infinity;
  const name = values.name ?? (isWhole ? `redis${isQuick ? "-quick" : ""}` : undefined);
  return { isQuick, repeats, peers, workloads: values.workloads?.split(",") ?? [], tasks, name };
}

function countOf(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1) return count;
  throw new Error(`expected --${option} to be a count, got "${text}"`);
}
