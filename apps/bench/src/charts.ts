import { fieldTitles } from "./field-name.ts";
import type { MetricKey } from "./metrics.ts";
import { subject } from "./peers.ts";
import { valuesOf, workloadsOf, type Results } from "./results.ts";
import { spreadOf } from "./statistics.ts";

export interface Bar {
  readonly label: string;
  readonly value: number;
  /** Whether it is what the others are compared with. */
  readonly isSubject: boolean;
}

/** Bars that are compared with each other, and with no others. */
export interface BarGroup {
  readonly title: string;
  readonly bars: readonly Bar[];
}

export interface BarChart {
  /** For the file: `enqueue`. */
  readonly name: string;
  readonly title: string;
  /** Whether more is better, and whence the figures are. */
  readonly note: string;
  /** Behind each value. */
  readonly unit: string;
  readonly groups: readonly BarGroup[];
}

interface Kind {
  readonly name: string;
  readonly title: string;
  readonly better: "more" | "less";
  readonly unit: string;
  /** How the names of its workloads begin. */
  readonly workloads: string;
  /** A group each, with what follows the name of the workload. */
  readonly figures: readonly (readonly [MetricKey, string])[];
}

const kinds: readonly Kind[] = [
  {
    name: "enqueue",
    title: "Tasks sent per second",
    better: "more",
    unit: "",
    workloads: "enqueue, ",
    figures: [["perSecond", ""]],
  },
  {
    name: "drain",
    title: "Tasks run per second",
    better: "more",
    unit: "",
    workloads: "drain, ",
    figures: [["perSecond", ""]],
  },
  {
    name: "latency",
    title: "From send to start",
    better: "less",
    unit: " µs",
    workloads: "latency ",
    figures: [
      ["p50Us", ", median"],
      ["p95Us", ", 95th percentile"],
      ["p99Us", ", 99th percentile"],
    ],
  },
  {
    name: "processes",
    title: "Tasks run per second by several worker processes",
    better: "more",
    unit: "",
    workloads: "worker processes: ",
    figures: [["perSecond", ""]],
  },
  {
    name: "killed",
    title: "After the death of a worker",
    better: "less",
    unit: " ms",
    workloads: "killed worker",
    figures: [
      ["againMs", ", until its tasks are begun again"],
      ["recoveredMs", ", until all tasks have run"],
    ],
  },
];

/** The medians of a field as bars. What nobody has measured is left out. */
export function chartsOf(results: Results): readonly BarChart[] {
  return kinds.flatMap((kind) => {
    const figures = workloadsOf(results)
      .filter((workload) => workload.startsWith(kind.workloads))
      .flatMap((workload) => kind.figures.map(([metric, behind]) => ({ workload, metric, behind })));
    const groups = figures.flatMap((figure) => groupOf(results, figure));
    if (groups.length === 0) return [];
    const { name, title, better, unit } = kind;
    const { field, date } = results;
    const note = `${better} is better · median of ${repeatsOf(results, figures)}, ${date.slice(0, 10)} · each group has its own scale`;
    return [{ name, title: `${title}: ${fieldTitles[field]}`, note, unit, groups }];
  });
}

interface Figure {
  readonly workload: string;
  readonly metric: MetricKey;
  readonly behind: string;
}

function groupOf(results: Results, { workload, metric, behind }: Figure): readonly BarGroup[] {
  const bars = results.peers.flatMap(({ name, title }) => {
    const values = valuesOf(results, { workload, metric, peer: name });
    if (values.size === 0) return [];
    return [{ label: title, value: spreadOf([...values.values()]).median, isSubject: name === subject }];
  });
  return bars.length === 0 ? [] : [{ title: `${workload}${behind}`, bars }];
}

/** Some workloads are repeated less often than others, and a peer may have no figure in a repeat: `5`, `1 to 2`. */
function repeatsOf(results: Results, figures: readonly Figure[]): string {
  const counts = figures
    .flatMap((figure) => results.peers.map(({ name }) => valuesOf(results, { ...figure, peer: name }).size))
    .filter((count) => count > 0);
  const [fewest, most] = [Math.min(...counts), Math.max(...counts)];
  return fewest === most ? `${most}` : `${fewest} to ${most}`;
}
