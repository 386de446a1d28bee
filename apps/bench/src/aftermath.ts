import type { Sample } from "./metrics.ts";
import type { WorkRecord } from "./work-log.ts";

/** What is known of a queue of which one of two workers was killed. */
export interface Killing {
  /** Of the worker that was killed, and of the one that went on. */
  readonly killed: readonly WorkRecord[];
  readonly other: readonly WorkRecord[];
  /** By the clock of the logs. Microseconds. */
  readonly killedAtUs: number;
  /** How many were sent. */
  readonly tasks: number;
}

/** What became of the tasks. A task is lost that nobody has ended; until when, is the caller's to say. */
export function aftermath({ killed, other, killedAtUs, tasks }: Killing): Sample {
  const ended = idsOf(killed, "ended");
  const inHand = [...idsOf(killed, "begun")].filter((id) => !ended.has(id));
  const begun = [...killed, ...other].filter(({ what }) => what === "begun");
  const lost = tasks - endedIn(killed, other);
  const sinceKill = ({ atUs }: WorkRecord): number => (atUs - killedAtUs) / 1000;
  const again = other.find(({ what, id, atUs }) => what === "begun" && inHand.includes(id) && atUs > killedAtUs);
  const last = other.findLast(({ what }) => what === "ended");
  return {
    lost,
    runTwice: begun.length - new Set(begun.map(({ id }) => id)).size,
    ...(again === undefined ? {} : { againMs: sinceKill(again) }),
    ...(lost > 0 || last === undefined ? {} : { recoveredMs: sinceKill(last) }),
  };
}

/** How many different tasks have ended. */
export function endedIn(...logs: readonly (readonly WorkRecord[])[]): number {
  return idsOf(logs.flat(), "ended").size;
}

function idsOf(log: readonly WorkRecord[], kind: WorkRecord["what"]): ReadonlySet<number> {
  return new Set(log.filter(({ what }) => what === kind).map(({ id }) => id));
}
