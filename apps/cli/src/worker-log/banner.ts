import { formatMs } from "@q/core";
import type { Colors } from "../output/colors.ts";
import { formatCount } from "../output/numbers.ts";
import { printable } from "../output/printable.ts";
import { redact } from "../output/redact.ts";

export interface BannerFacts {
  readonly version: string;
  /** Of the user's program; `undefined` when nothing says which. */
  readonly release: string | undefined;
  readonly worker: string;
  readonly node: string;
  readonly pid: number;
  readonly broker: string;
  /** How long it took to count a queue; `null` when the broker cannot. */
  readonly brokerMs: number | null;
  /** What waits in each; `null` when the broker cannot tell. */
  readonly queues: readonly { readonly name: string; readonly waiting: number | null }[];
  readonly slots: number;
  readonly shutdownTimeout: string;
  readonly tasks: readonly string[];
  /** Other things that this process does: `http://127.0.0.1:8081/livez`. */
  readonly also: readonly string[];
  readonly warnings: readonly string[];
  readonly readyMs: number;
  readonly hasKeys: boolean;
}

const mostTasks = 4;
const mostQueues = 6;

/** What a worker says when it starts on a terminal. Warnings come last, where the eye rests. */
export function renderBanner(facts: BannerFacts, colors: Colors): string {
  const { bold, dim, yellow } = colors;
  const row = (label: string, text: string): string => `  ${dim(label.padEnd(8))} ${text}`;
  const queues = facts.queues.map(({ name, waiting }) =>
    printable(waiting === null || waiting === 0 ? name : `${name} ${formatCount(waiting)} waiting`),
  );
  const release = facts.release === undefined ? "" : ` · release ${printable(facts.release)}`;
  const tasks = facts.tasks.slice(0, mostTasks).map(printable);
  return [
    `  ${bold(`q ${facts.version}`)}  worker ${bold(printable(facts.worker))}   ${dim(`node ${facts.node} · pid ${facts.pid}${release}`)}`,
    "",
    row("broker", `${redact(facts.broker)}${facts.brokerMs === null ? "" : `  ${formatLatency(facts.brokerMs)}`}`),
    row("queues", [...queues.slice(0, mostQueues), ...more(queues.length, mostQueues)].join(" · ")),
    row("slots", `${facts.slots} async · stop waits ${facts.shutdownTimeout}`),
    row("tasks", [String(facts.tasks.length), ...tasks, ...more(facts.tasks.length, mostTasks)].join("  ")),
    ...(facts.also.length === 0 ? [] : [row("also", facts.also.join(" · "))]),
    "",
    ...facts.warnings.map((warning) => `  ${yellow("!")} ${redact(printable(warning))}`),
    `  Ready in ${Math.round(facts.readyMs)} ms.  ${facts.hasKeys ? "Press h for keys, Ctrl-C to stop." : "Ctrl-C to stop."}`,
    "",
  ].join("\n");
}

/** `0.4 ms`, `12 ms`: below ten, a tenth tells a local store from a distant one. */
function formatLatency(ms: number): string {
  return ms < 10 ? `${ms.toFixed(1)} ms` : formatMs(ms);
}

function more(count: number, shown: number): string[] {
  return count > shown ? [`+${count - shown}`] : [];
}
