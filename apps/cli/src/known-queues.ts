import type { App } from "@q/core";
import type { QueueInspector } from "@q/core/broker";
import { flagList } from "./flag-values.ts";
import { unknownQueue } from "./queue-names.ts";

/** The app's queues in their order, then those that only the broker knows. */
async function allQueues(app: App, inspector: QueueInspector): Promise<string[]> {
  return [...new Set([...app.queues.map((queue) => queue.name), ...(await inspector.queues())])];
}

/**
 * The queues that were asked for, or all.
 * @throws NotFoundError `Q2003`
 */
export async function selectQueues(app: App, inspector: QueueInspector, asked: readonly string[]): Promise<string[]> {
  const known = await allQueues(app, inspector);
  const names = flagList(asked);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) throw unknownQueue(unknown, app);
  return names.length === 0 ? known : names;
}
