import { constants } from "node:os";
import type { Logger } from "@q/core";
import type { CliContext } from "../cli-context.ts";
import { exitCode } from "../exit-code.ts";
import type { ProcessEnd } from "../process-end.ts";
import type { Shutdown } from "./shutdown.ts";

/** Holds the number of a child process. No setting: the supervisor sets it, and the child takes it out of its environment. */
export const childVariable = "Q_SUPERVISED";

/** What a child tells its supervisor. `used-up`: it ends in order, and another is to go on in its place. */
export interface ChildReport {
  readonly q: "ready" | "unready" | "used-up";
}

/** What the supervisor tells a child: the next signal to end, of those that count (see `Shutdown`). */
export interface SupervisorOrder {
  readonly q: "signal";
  readonly signal: NodeJS.Signals;
}

const lookMs = 250;

/** The child's end of the line to its supervisor. */
export class Supervised {
  /** From 1. Stays the same for the process that replaces this one. */
  readonly number: number;
  readonly #ends: (() => void)[] = [];
  /** At first nothing has begun yet that would have to be ended in order. */
  #onOrphaned: () => void;

  private constructor(number: number, end: ProcessEnd) {
    this.number = number;
    this.#onOrphaned = () => end.exit(exitCode.failed);
    const onDisconnect = (): void => this.#onOrphaned();
    process.once("disconnect", onDisconnect);
    this.#ends.push(() => process.off("disconnect", onDisconnect));
  }

  /** `undefined` in a process that no supervisor of ours has started. What this one starts itself is not supervised. */
  static join({ env, end }: Pick<CliContext, "env" | "end">): Supervised | undefined {
    const number = Number(env[childVariable]);
    delete env[childVariable];
    return number > 0 && process.connected ? new Supervised(number, end) : undefined;
  }

  /** From now on the supervisor ends the worker, and so does the supervisor's own end, however sudden. */
  obey(shutdown: Shutdown, logger: Logger): void {
    const onMessage = (message: unknown): void => {
      if (isOrder(message)) shutdown.signal(message.signal);
    };
    process.on("message", onMessage);
    this.#ends.push(() => process.off("message", onMessage));
    this.#onOrphaned = () => {
      logger.warn({}, "the supervising process is gone; stopping");
      void shutdown.stop();
    };
  }

  report(q: ChildReport["q"]): void {
    // A supervisor that is gone needs no report.
    if (process.connected) process.send?.({ q } satisfies ChildReport, undefined, undefined, () => {});
  }

  /** Reports whether the worker takes tasks: now, and whenever that changes. */
  reportReadiness(isReady: () => boolean): void {
    let last: boolean | undefined;
    const look = (): void => {
      const ready = isReady();
      if (ready !== last) this.report(ready ? "ready" : "unready");
      last = ready;
    };
    look();
    const timer = setInterval(look, lookMs).unref();
    this.#ends.push(() => clearInterval(timer));
  }

  leave(): void {
    for (const end of this.#ends.splice(0)) end();
  }
}

/** The user's own modules may send and receive messages, too. */
function isOrder(message: unknown): message is SupervisorOrder {
  return (
    typeof message === "object" &&
    message !== null &&
    "q" in message &&
    message.q === "signal" &&
    "signal" in message &&
    typeof message.signal === "string" &&
    message.signal in constants.signals
  );
}
