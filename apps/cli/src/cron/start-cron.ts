import type { App, Logger } from "@q/core";
import { cronLog } from "./cron-log.ts";

/** Sends ticks beside a worker; answers how to end it. @throws as `Scheduler.start` */
export async function startCron(app: App, logger: Logger, isPretty: boolean): Promise<() => Promise<void>> {
  const { Scheduler } = await import("@q/scheduler");
  const scheduler = new Scheduler(app, { onEvent: cronLog(logger, isPretty) });
  await scheduler.start();
  return () => scheduler.stop();
}
