import type { Sample } from "./metrics.ts";
import type { ServerCounters } from "./redis-field.ts";

/** What tasks cost the server between two looks at its counters. */
export function costPerTask(before: ServerCounters, after: ServerCounters, tasks: number): Sample {
  return {
    serverUs: (after.cpuUs - before.cpuUs) / tasks,
    commands: (after.commands - before.commands) / tasks,
  };
}
