import { formatMs, type Logger, type Worker } from "@q/core";
import { counted } from "../output/numbers.ts";

export interface PauseSignalOptions {
  readonly worker: Worker;
  readonly logger: Logger;
  /** On a terminal Ctrl-Z keeps its own meaning. */
  readonly onTerminal: boolean;
}

/** SIGTSTP takes no more tasks, SIGCONT takes them again, SIGUSR2 tells what runs. Answers how to stop listening. */
export function listenForPause({ worker, logger, onTerminal }: PauseSignalOptions): () => void {
  if (process.platform === "win32") return () => {};
  let loopAt = performance.eventLoopUtilization();
  const handlers: Partial<Record<NodeJS.Signals, () => void>> = {
    SIGCONT: () => setPaused(worker, logger, false),
    SIGUSR2: () => {
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, loopAt);
      loopAt = now;
      reportRunning(worker, logger, utilization);
    },
    ...(onTerminal ? {} : { SIGTSTP: () => setPaused(worker, logger, true) }),
  };
  const entries = Object.entries(handlers) as [NodeJS.Signals, () => void][];
  for (const [signal, handler] of entries) process.on(signal, handler);
  return () => {
    for (const [signal, handler] of entries) process.off(signal, handler);
  };
}

/** Pauses or goes on. A broker that is away is told, not thrown: nobody waits for a signal's end. */
export function setPaused(worker: Worker, logger: Logger, paused: boolean): void {
  (paused ? worker.pause() : worker.resume()).catch((error: unknown) => {
    logger.error({ err: error }, paused ? "could not pause" : "could not go on; try again");
  });
}

/** One line, then one per running task. `loopBusy`: the share of time for which the event loop had work, since the last report. */
export function reportRunning(worker: Worker, logger: Logger, loopBusy?: number): void {
  const running = worker.running();
  const loop = loopBusy === undefined ? {} : { loop_busy: Math.round(loopBusy * 100) / 100 };
  logger.info(
    { state: worker.state, ...loop },
    `${counted(running.length, "task")} running, ${worker.concurrency} slots`,
  );
  for (const { task, id, queue, startedAt } of running)
    logger.info({ id, queue }, `${task} has run for ${formatMs(Date.now() - startedAt)}`);
}
