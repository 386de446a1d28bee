import type { App, Logger } from "@q/core";
import type { QueueInspector, QueueStats } from "@q/core/broker";
import { counted } from "./output/numbers.ts";
import { tryStats } from "./try-stats.ts";

/** What to tell about a queue in which tasks wait and that nobody serves; `undefined` for any other. */
export function strandedWarning({ queue, ready, consumers }: QueueStats): string | undefined {
  if (ready === null || ready === 0 || consumers !== 0) return undefined;
  return `${queue} has ${counted(ready, "waiting task")} and no worker takes from it`;
}

interface WarningOptions {
  /** The queues of this worker. */
  readonly served: readonly string[];
  readonly logger: Logger;
}

/**
 * Warnings about queues of the app, for a worker that starts: those in which tasks wait for nobody, and those of its own that are paused.
 * A queue that cannot be looked at has none.
 */
export async function queueWarnings(
  app: App,
  inspector: QueueInspector | undefined,
  { served, logger }: WarningOptions,
): Promise<string[]> {
  if (inspector === undefined) return [];
  const stats = await Promise.all(app.queues.map(({ name }) => tryStats(inspector, name, logger)));
  return stats
    .filter((one) => one !== undefined)
    .map((one) => (served.includes(one.queue) ? pausedWarning(one) : strandedWarning(one)))
    .filter((warning) => warning !== undefined);
}

function pausedWarning({ queue, paused }: QueueStats): string | undefined {
  return paused ? `${queue} is paused: no worker takes from it until q queues resume ${queue}` : undefined;
}
