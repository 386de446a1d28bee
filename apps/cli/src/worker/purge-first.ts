import type { App, Logger } from "@q/core";
import type { QueueInspector } from "@q/core/broker";
import { RefusedError } from "../cli-errors.ts";
import { counted } from "../output/numbers.ts";
import { refuseWhereReadOnly } from "../read-only.ts";

type Env = Readonly<Record<string, string | undefined>>;

/**
 * A worker starts where nobody can be asked, so `--purge` has to be meant twice; and never where real work is lost by it.
 * @throws RefusedError `Q2106` without `--yes`, `Q2118` in production, `Q2119` where `Q_READ_ONLY` is set
 */
export function assertMayPurge(env: Env, { yes }: { readonly yes: boolean }): void {
  if (env["NODE_ENV"] === "production") {
    throw new RefusedError("Q2118", "not done: q worker --purge with NODE_ENV=production", {
      hint: "q purge -Q <queue> shows what would go, and asks",
    });
  }
  refuseWhereReadOnly(env);
  if (!yes) {
    throw new RefusedError("Q2106", "not done: --purge deletes every task that waits, and there is no undo", {
      hint: "--yes does it",
    });
  }
}

/**
 * Deletes what waits in the queues, now or for later, and says how many.
 * @throws BrokerError when the broker cannot be reached
 */
export async function purgeFirst(
  app: App,
  inspector: QueueInspector,
  queues: readonly string[],
  logger: Logger,
): Promise<void> {
  await app.open();
  for (const queue of new Set(queues)) {
    const purged = await inspector.purge(queue);
    logger.warn({ queue, purged }, `--purge deleted ${counted(purged, "waiting task")}`);
  }
}
