/** What is measured. A workload measures some of these. */
export interface Metric {
  readonly key: MetricKey;
  readonly title: string;
  /** Digits behind the point. */
  readonly digits: number;
  /** Whether more is better; a ratio to q is then q by the other, and else the other by q, so that above 1 q is ahead. */
  readonly moreIsBetter: boolean;
}

export type MetricKey =
  | "perSecond"
  | "clientUs"
  | "serverUs"
  | "commands"
  | "bytes"
  | "p50Us"
  | "p95Us"
  | "p99Us"
  | "p999Us"
  | "growth"
  | "idleClientMs"
  | "idleServerMs"
  | "idleCommands"
  | "lost"
  | "runTwice"
  | "againMs"
  | "recoveredMs"
  | "workerMb"
  | "startMs";

/** What one run of a workload brought, per task. */
export type Sample = Readonly<Partial<Record<MetricKey, number>>>;

export const metrics: readonly Metric[] = [
  { key: "perSecond", title: "Tasks per second", digits: 0, moreIsBetter: true },
  { key: "p50Us", title: "Latency, median, in µs", digits: 0, moreIsBetter: false },
  { key: "p95Us", title: "Latency, 95th percentile, in µs", digits: 0, moreIsBetter: false },
  { key: "p99Us", title: "Latency, 99th percentile, in µs", digits: 0, moreIsBetter: false },
  { key: "p999Us", title: "Latency, 99.9th percentile, in µs", digits: 0, moreIsBetter: false },
  { key: "startMs", title: "Milliseconds until the first task", digits: 0, moreIsBetter: false },
  { key: "clientUs", title: "CPU of producer or worker per task, in µs", digits: 1, moreIsBetter: false },
  { key: "serverUs", title: "CPU of the server per task, in µs", digits: 1, moreIsBetter: false },
  { key: "commands", title: "Commands of the server per task", digits: 2, moreIsBetter: false },
  {
    key: "growth",
    title: "CPU of client and server per task, by that with few pending",
    digits: 2,
    moreIsBetter: false,
  },
  { key: "idleClientMs", title: "CPU of an idle worker per second, in ms", digits: 2, moreIsBetter: false },
  { key: "idleServerMs", title: "CPU of the server per second, in ms", digits: 2, moreIsBetter: false },
  { key: "idleCommands", title: "Commands of the server per second", digits: 1, moreIsBetter: false },
  { key: "lost", title: "Tasks that nobody has run to the end", digits: 0, moreIsBetter: false },
  { key: "runTwice", title: "Tasks begun once more", digits: 0, moreIsBetter: false },
  {
    key: "againMs",
    title: "Milliseconds until a task of the killed worker is begun again",
    digits: 0,
    moreIsBetter: false,
  },
  { key: "recoveredMs", title: "Milliseconds until all tasks have run", digits: 0, moreIsBetter: false },
  { key: "bytes", title: "Memory of the server per pending task, in bytes", digits: 0, moreIsBetter: false },
  { key: "workerMb", title: "Resident memory of the worker, in MB", digits: 0, moreIsBetter: false },
];
