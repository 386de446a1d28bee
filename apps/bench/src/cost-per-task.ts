import type { ServerCounters } from "./bench-server.ts";
import type { Sample } from "./metrics.ts";

/** What tasks cost the server between two looks at its counters. */
export function costPerTask(before: ServerCounters, after: ServerCounters, tasks: number): Sample {
  const perTask = (key: "cpuUs" | "commands"): number => ((after[key] ?? 0) - (before[key] ?? 0)) / tasks;
  return {
    ...(after.cpuUs === undefined ? {} : { serverUs: perTask("cpuUs") }),
    ...(after.commands === undefined ? {} : { commands: perTask("commands") }),
  };
}
