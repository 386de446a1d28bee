import { fork, type ChildProcess } from "node:child_process";
import { constants } from "node:os";
import { childVariable, type ChildReport, type SupervisorOrder } from "./supervised.ts";
import type { ProcessEnd } from "./restarts.ts";

/** How a child ended, and what it was by then. */
export interface ChildEnd extends ProcessEnd {
  /** `undefined` when it ended by itself. */
  readonly signal: NodeJS.Signals | undefined;
  readonly wasReady: boolean;
}

export interface ChildOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Called when it takes tasks for the first time. */
  readonly onReady: (child: Child) => void;
}

/** What a dead child has said is read within this, unless a process that it left behind holds on to the channel. */
const lastWordsMs = 500;

/** One child process, as its supervisor sees it: this very command line once more, in a process of its own. */
export class Child {
  readonly pid: number | undefined;
  /** Never rejects. */
  readonly ended: Promise<ChildEnd>;
  readonly #process: ChildProcess;
  readonly #onReady: (child: Child) => void;
  readonly #startedAt = performance.now();
  #isReady = false;
  #wasReady = false;
  #isUsedUp = false;
  #level = 0;

  private constructor(child: ChildProcess, onReady: (child: Child) => void) {
    this.#process = child;
    this.#onReady = onReady;
    this.pid = child.pid;
    child.on("message", (message) => this.#onMessage(message));
    this.ended = this.#end();
  }

  static start(number: number, { env, onReady }: ChildOptions): Child {
    const [, script = "", ...args] = process.argv;
    const own = { ...env, [childVariable]: String(number) };
    return new Child(fork(script, args, { env: own, stdio: ["ignore", "inherit", "inherit", "ipc"] }), onReady);
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  /** Asks it to end. 1: warm stop; 2: hand back what runs; 3: it is killed. Asking for what was asked for already does nothing. */
  stop(signal: NodeJS.Signals, level: number): void {
    if (level > 2) {
      this.#process.kill("SIGKILL");
      return;
    }
    for (; this.#level < level; this.#level += 1) this.#order(signal);
    // Ends one that does not listen to messages yet. To all others it is a first signal, however often it comes.
    this.#kill(signal);
  }

  /** Hands on a signal that ends nothing. One that still loads would be ended or suspended by it, and is left out. */
  pass(signal: "SIGTSTP" | "SIGCONT" | "SIGUSR2"): void {
    if (this.#wasReady) this.#kill(signal);
  }

  #kill(signal: NodeJS.Signals): void {
    // On Windows this would be the end of it, without a warning.
    if (process.platform !== "win32") this.#process.kill(signal);
  }

  #order(signal: NodeJS.Signals): void {
    const order: SupervisorOrder = { q: "signal", signal };
    // One that cannot be told any more is ending.
    if (this.#process.connected) this.#process.send(order, () => {});
  }

  #onMessage(message: unknown): void {
    const report = typeof message === "object" && message !== null ? (message as Partial<ChildReport>).q : undefined;
    if (report === "used-up") this.#isUsedUp = true;
    if (report !== "ready" && report !== "unready") return;
    this.#isReady = report === "ready";
    if (!this.#isReady || this.#wasReady) return;
    this.#wasReady = true;
    this.#onReady(this);
  }

  async #end(): Promise<ChildEnd> {
    const child = this.#process;
    const [exitCode, signal] = await new Promise<readonly [number | null, NodeJS.Signals | null]>((resolve) => {
      child.once("error", () => {
        // There was no room for another process. After others, which end by themselves, it is no news.
        if (child.pid === undefined) resolve([1, null]);
      });
      child.once("exit", (...how) => {
        const patience = setTimeout(() => resolve(how), lastWordsMs);
        child.once("close", () => {
          clearTimeout(patience);
          resolve(how);
        });
      });
    });
    this.#isReady = false;
    return {
      code: exitCode ?? 128 + (signal === null ? 0 : constants.signals[signal]),
      signal: signal ?? undefined,
      livedMs: performance.now() - this.#startedAt,
      isUsedUp: this.#isUsedUp,
      wasReady: this.#wasReady,
    };
  }
}
