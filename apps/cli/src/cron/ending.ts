import { constants } from "node:os";
import type { Logger } from "@q/core";
import { exitCode } from "../exit-code.ts";
import { endingSignals } from "../worker/shutdown.ts";

/**
 * Waits for what ends a cron process, and answers with its exit code: 0 after a signal, 70 after an error that nobody caught. A second signal leaves at
 * once: every tick is either sent or still to be sent.
 */
export class Ending {
  readonly ended: Promise<number>;
  readonly #handlers = new Map<string, (error: unknown) => void>();

  constructor(logger: Logger, exit: (code: number) => void) {
    let signals = 0;
    this.ended = new Promise((resolve) => {
      for (const signal of endingSignals) {
        this.#on(signal, () => {
          signals += 1;
          if (signals > 1) exit(128 + (constants.signals[signal] ?? 0));
          resolve(exitCode.done);
        });
      }
      for (const event of ["uncaughtException", "unhandledRejection"]) {
        this.#on(event, (error) => {
          logger.error({ err: error }, "an error that nobody caught: ending");
          resolve(exitCode.bug);
        });
      }
    });
  }

  /** Hands the signals back to Node. */
  unlisten(): void {
    for (const [event, handler] of this.#handlers) process.off(event, handler);
    this.#handlers.clear();
  }

  #on(event: string, handler: (error: unknown) => void): void {
    this.#handlers.set(event, handler);
    process.on(event, handler);
  }
}
