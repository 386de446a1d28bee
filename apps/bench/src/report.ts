import { fieldTitles } from "./field-name.ts";
import { metrics, type Metric } from "./metrics.ts";
import { subject } from "./peers.ts";
import { valuesOf, workloadsOf, type PeerFacts, type Results } from "./results.ts";
import { ratios, spreadOf, type Spread } from "./statistics.ts";
import type { Target } from "./targets.ts";

/** The results as tables, for people. */
export function report(results: Results): string {
  const { field, date, isQuick, repeats, machine } = results;
  const { processor, processors, memoryGb, system, node, server, load } = machine;
  const tables = metrics.flatMap((metric) => metricTable(results, metric));
  const peers = results.peers.map(describePeer);
  return [
    `# q and its peers on ${fieldTitles[field]}${isQuick ? ", quick run" : ""}`,
    `${date.slice(0, 10)}, ${processors} × ${processor}, ${memoryGb} GB, ${system}, Node ${node}, ${server}. Load at the start: ${load}.`,
    `Medians of up to ${repeats} interleaved repeats, the smallest and largest in brackets. A ratio is taken within each repeat; above 1, q is ahead.`,
    ...targetTable(results),
    ...tables,
    "## Who",
    peers.join("\n"),
    "",
  ].join("\n\n");
}

function describePeer({ title, versions, settings }: PeerFacts): string {
  const names = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const told = Object.keys(settings).length === 0 ? "defaults" : `\`${JSON.stringify(settings)}\``;
  return `- **${title}**: ${names.join(", ")}; ${told}`;
}

/** Nothing when nobody has measured it. */
function metricTable(results: Results, metric: Metric): readonly string[] {
  const { peers } = results;
  const rows = workloadsOf(results).flatMap((workload) => {
    const own = valuesOf(results, { workload, peer: subject, metric: metric.key });
    const cells = peers.map(({ name }) => {
      const values = valuesOf(results, { workload, peer: name, metric: metric.key });
      if (values.size === 0) return "";
      const ahead = metric.moreIsBetter ? ratios(own, values) : ratios(values, own);
      const ratio = name === subject || ahead.length === 0 ? "" : ` · **${factor(spreadOf(ahead).median)}**`;
      return `${written(spreadOf([...values.values()]), metric.digits)}${ratio}`;
    });
    return cells.every((cell) => cell === "") ? [] : [[workload, ...cells]];
  });
  if (rows.length === 0) return [];
  return [`## ${metric.title}`, table(["", ...peers.map(({ title }) => title)], rows)];
}

/** Nothing when none of what they are about was measured. */
function targetTable(results: Results): readonly string[] {
  const rows = results.targets.flatMap((target) => {
    const reached = reachedBy(results, target);
    if (reached === undefined) return [];
    const { workload, metric, against, atLeast, atMost } = target;
    const isReached = reached.median >= (atLeast ?? 0) && reached.median <= (atMost ?? Infinity);
    const title = metrics.find(({ key }) => key === metric)?.title ?? metric;
    const bound = atLeast === undefined ? `at most ${round(atMost ?? 0)}` : `at least ${round(atLeast)}`;
    const other = results.peers.find(({ name }) => name === against)?.title ?? "itself";
    return [[workload, title, other, bound, written(reached, 2), isReached ? "yes" : "**no**"]];
  });
  if (rows.length === 0) return [];
  return ["## Targets", table(["", "what", "against", "target", "measured", "reached"], rows)];
}

/** The figure that a target is about: q by the other, or q's own. `undefined` when it was not measured. */
export function reachedBy(results: Results, { workload, metric, against }: Target): Spread | undefined {
  const own = valuesOf(results, { workload, peer: subject, metric });
  const values =
    against === null ? [...own.values()] : ratios(own, valuesOf(results, { workload, peer: against, metric }));
  return values.length === 0 ? undefined : spreadOf(values);
}

function written({ median, min, max }: Spread, digits: number): string {
  const number = (value: number): string =>
    value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return `${number(median)} (${number(min)} to ${number(max)})`;
}

function factor(ratio: number): string {
  return `${ratio.toFixed(ratio < 10 ? 1 : 0)} ×`;
}

function round(value: number): string {
  return String(Math.round(value * 1000) / 1000);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map((_, column) => (column === 0 ? "---" : "--:")), ...rows];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
