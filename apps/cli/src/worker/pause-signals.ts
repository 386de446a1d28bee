import { formatMs, type Logger, type Worker } from "@q/core";
import { counted } from "../output/numbers.ts";
import type { WorkerPause } from "./worker-pause.ts";

export interface PauseSignalOptions {
  readonly worker: Worker;
  readonly pause: WorkerPause;
  readonly logger: Logger;
  /** On a terminal Ctrl-Z keeps its own meaning. */
  readonly onTerminal: boolean;
}

/** SIGTSTP takes no more tasks, SIGCONT takes them again, SIGUSR2 tells what runs. Answers how to stop listening. */
export function listenForPause({ worker, pause, logger, onTerminal }: PauseSignalOptions): () => void {
  if (process.platform === "win32") return () => {};
  let loopAt = performance.eventLoopUtilization();
  const handlers: Partial<Record<NodeJS.Signals, () => void>> = {
    SIGCONT: () => pause.end(logger),
    SIGUSR2: () => {
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, loopAt);
      loopAt = now;
      reportRunning(worker, logger, utilization);
    },
    ...(onTerminal ? {} : { SIGTSTP: () => pause.begin(logger) }),
  };
  const entries = Object.entries(handlers) as [NodeJS.Signals, () => void][];
  for (const [signal, handler] of entries) process.on(signal, handler);
  return () => {
    for (const [signal, handler] of entries) process.off(signal, handler);
  };
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
