import { constants } from "node:os";
import { formatMs, type Worker } from "@q/core";
import { exitCode } from "../exit-code.ts";
import { counted } from "../output/numbers.ts";
import type { WorkerLog } from "../worker-log/worker-log.ts";

const reportMs = 5000;
/** After an error that nobody caught, the process is not to be trusted for longer. */
const longestCrashGraceMs = 5000;

/** Signals that end a worker. SIGHUP: its terminal is gone. SIGBREAK: Ctrl-Break on Windows. */
export const endingSignals: readonly NodeJS.Signals[] = [
  "SIGTERM",
  "SIGINT",
  "SIGHUP",
  ...(process.platform === "win32" ? (["SIGBREAK"] as const) : []),
];

export interface ShutdownOptions {
  /** How long the worker's own warm stop waits. */
  readonly shutdownTimeoutMs: number;
  /**
   * Whether a supervisor says which signals count. This process's own then begin the stop and no more: a terminal, systemd and others send
   * one signal to all processes of a group, which would otherwise be the first and the second here.
   */
  readonly isSupervised: boolean;
  /** Leaves the process at once. */
  readonly exit: (code: number) => void;
}

/**
 * Ends one worker, once, for whatever reason comes first, and tells with which exit code the process should end.
 *
 * | when                              | what                                                | exit code  |
 * |-----------------------------------|-----------------------------------------------------|------------|
 * | first signal, `q`, end of a burst | takes no more, waits, hands the rest back           | 0          |
 * | second signal                     | hands back what runs, now                           | 128 + signal |
 * | third signal                      | leaves at once; the broker notices by itself        | 128 + signal |
 * | the worker failed                 | hands back, so that a supervisor starts a new one   | 1          |
 * | an error that nobody caught       | 5 s for what runs, then hands back                  | 70         |
 */
export class Shutdown {
  /** The exit code, when the worker has stopped. */
  readonly ended: Promise<number>;
  readonly #worker: Worker;
  readonly #log: WorkerLog;
  readonly #exit: (code: number) => void;
  readonly #shutdownTimeoutMs: number;
  readonly #isSupervised: boolean;
  readonly #handlers = new Map<string, (error: unknown) => void>();
  #end: (code: number) => void = () => {};
  #signals = 0;
  /** What to end with, whichever stop ends first. */
  #code: number = exitCode.done;
  #report: NodeJS.Timeout | undefined;
  #keepAlive: NodeJS.Timeout | undefined;

  constructor(worker: Worker, log: WorkerLog, options: ShutdownOptions) {
    this.#worker = worker;
    this.#log = log;
    this.#exit = options.exit;
    this.#shutdownTimeoutMs = options.shutdownTimeoutMs;
    this.#isSupervised = options.isSupervised;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /** Listens for signals, for errors that nobody catches, and for the worker's own failure. */
  listen(): void {
    // An idle worker may hold nothing else that keeps Node from ending, depending on its broker.
    this.#keepAlive = setInterval(() => {}, 2 ** 30);
    for (const signal of endingSignals)
      this.#on(signal, () => (this.#isSupervised ? void this.stop() : this.signal(signal)));
    this.#on("uncaughtException", (error) => void this.#crash(error, "an exception that nobody caught"));
    this.#on("unhandledRejection", (error) => void this.#crash(error, "a rejection that nobody handled"));
    void this.#worker.failed.then((error) => this.#fail(error));
  }

  /** Hands the signals back to Node. */
  unlisten(): void {
    for (const [event, handler] of this.#handlers) process.off(event, handler);
    this.#handlers.clear();
    clearInterval(this.#report);
    clearInterval(this.#keepAlive);
  }

  /** A warm stop. A second call changes nothing. */
  async stop(): Promise<void> {
    this.#report ??= setInterval(() => this.#reportWaiting(), reportMs).unref();
    await this.#worker.stop();
    this.#end(this.#code);
  }

  /** One more signal to end, see the table above. */
  signal(signal: NodeJS.Signals): void {
    this.#signals += 1;
    if (this.#signals === 1) {
      void this.stop();
      return;
    }
    this.#code = 128 + (constants.signals[signal] ?? 0);
    // Ends the stop that is waiting.
    if (this.#signals === 2) void this.#worker.abort();
    else this.#exit(this.#code);
  }

  #on(event: string, handler: (error: unknown) => void): void {
    this.#handlers.set(event, handler);
    process.on(event, handler);
  }

  async #fail(error: Error): Promise<void> {
    this.#log.logger.error({ err: error }, "this worker can do no more; ending, so that a new one can be started");
    this.#code = exitCode.failed;
    await this.#worker.abort();
    this.#end(this.#code);
  }

  async #crash(error: unknown, what: string): Promise<void> {
    this.#log.logger.error({ err: error }, `${what}: handing back what runs, then ending`);
    this.#code = exitCode.bug;
    const timeoutMs = Math.min(longestCrashGraceMs, this.#shutdownTimeoutMs);
    // A stop that is already waiting may have more time than this.
    const patience = setTimeout(() => void this.#worker.abort(), timeoutMs);
    await this.#worker.stop({ timeoutMs });
    clearTimeout(patience);
    this.#end(this.#code);
  }

  #reportWaiting(): void {
    const running = this.#worker.running();
    if (running.length === 0) return;
    const longest = running.slice(0, 5).map(({ task, startedAt }) => `${task} ${formatMs(Date.now() - startedAt)}`);
    this.#log.answers.info(
      { code: "Q4005" },
      `waiting for ${counted(running.length, "task")} to end (once more hands them back): ${longest.join(", ")}`,
    );
  }
}
