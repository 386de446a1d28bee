import type { Logger } from "@q/core";
import type { QueueInspector, QueueStats } from "@q/core/broker";

/**
 * Looks at a queue for what is worth telling about it. `undefined` where the broker does not say, because the user may not look or the broker is away:
 * a worker runs tasks without these figures.
 */
export async function tryStats(
  inspector: QueueInspector,
  queue: string,
  logger: Logger,
): Promise<QueueStats | undefined> {
  try {
    return await inspector.stats(queue);
  } catch (error) {
    logger.debug({ err: error }, `could not look at queue ${queue}: nothing is told about what waits in it`);
    return undefined;
  }
}
