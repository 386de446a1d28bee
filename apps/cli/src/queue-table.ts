import { formatMs } from "@q/core";
import type { QueueInspector, QueueStats } from "@q/core/broker";
import type { Colors } from "./output/colors.ts";
import { formatCount } from "./output/numbers.ts";
import { printable } from "./output/printable.ts";
import type { Column } from "./output/table.ts";
import { strandedWarning } from "./queue-warnings.ts";

const moving: readonly Column[] = [
  { title: "QUEUE", align: "left" },
  { title: "WAITING", align: "right" },
  { title: "OLDEST", align: "right" },
  { title: "LATER", align: "right" },
  { title: "RUNNING", align: "right" },
];
const standing: readonly Column[] = [
  { title: "DEAD", align: "right" },
  { title: "WORKERS", align: "right" },
  { title: "", align: "left" },
];

/** Headings of the table of queues in `q queues`, which asks only the broker. */
export const queueColumns: readonly Column[] = [...moving, ...standing];
/** And in `q status`, which asks the workers too. */
export const statusColumns: readonly Column[] = [...moving, { title: "OUT/MIN", align: "right" }, ...standing];

/**
 * One queue. What the broker or the workers cannot tell is `?`.
 * @param finishedPerMinute for `statusColumns`
 */
export function queueRow(stats: QueueStats, colors: Colors, finishedPerMinute?: number | null): string[] {
  const { queue, ready, delayed, inFlight, dead, oldestReadyMs, consumers, paused } = stats;
  const isStranded = strandedWarning(stats) !== undefined;
  return [
    printable(queue),
    formatCount(ready),
    oldestReadyMs === null ? "?" : ready === 0 ? "" : formatMs(oldestReadyMs),
    formatCount(delayed),
    formatCount(inFlight),
    ...(finishedPerMinute === undefined ? [] : [formatCount(finishedPerMinute)]),
    dead !== null && dead > 0 ? colors.red(formatCount(dead)) : formatCount(dead),
    consumers === 0 ? (isStranded ? colors.yellow("none") : "none") : formatCount(consumers),
    paused ? colors.yellow("paused") : isStranded ? colors.yellow("!") : "",
  ];
}

/** What a `?` in the table means; `undefined` when there is none. */
export function gapsNote({ gaps }: QueueInspector, stats: readonly QueueStats[]): string | undefined {
  const hasGap = stats.some((one) => Object.values(one).includes(null));
  return hasGap && gaps !== undefined ? `? ${gaps}.` : undefined;
}
