import { Worker } from "node:worker_threads";
import { BrokerError, systemClock, type Logger } from "@q/core/broker";
import type { LeaseKeeper, Member } from "./lease-keeper.ts";
import type { Settings } from "./options.ts";

/** What the thread is born with. */
export interface ThreadData {
  readonly settings: Settings;
  /** Grows as long as the main thread's event loop turns. */
  readonly turns: Int32Array;
  /** Milliseconds without a turn after which the process is ended; `null` is never. */
  readonly stuckAfterMs: number | null;
}

export type ToThread =
  | { readonly kind: "keep"; readonly member: Member }
  | { readonly kind: "forget"; readonly id: string }
  | { readonly kind: "close" };

export type ToMain =
  | { readonly kind: "ready" }
  | { readonly kind: "lost"; readonly id: string }
  | {
      readonly kind: "log";
      readonly level: "info" | "warn";
      readonly fields: Readonly<Record<string, unknown>>;
      readonly text: string;
    };

const turnEveryMs = 250;
/** Longest that closing waits for the thread. Milliseconds. */
const longestCloseMs = 1000;

/** Keeps leases in a thread of its own, with a connection of its own. */
export class ThreadKeeper implements LeaseKeeper {
  readonly #thread: Worker;
  readonly #logger: Logger;
  readonly #onLost = new Map<string, () => void>();
  readonly #turning: NodeJS.Timeout;
  #isClosed = false;

  private constructor(thread: Worker, turns: Int32Array, logger: Logger) {
    this.#thread = thread;
    this.#logger = logger;
    this.#turning = setInterval(() => Atomics.add(turns, 0, 1), turnEveryMs).unref();
    thread.on("message", (message: ToMain) => this.#hear(message));
    thread.on("error", (error) => {
      logger.error({ err: error }, "the thread that renews leases failed; what is held here will go to others");
      this.#loseAll();
    });
    thread.unref();
  }

  /** @throws BrokerError `Q1001` when the thread cannot reach Redis */
  static async start(settings: Settings, logger: Logger, url: URL): Promise<ThreadKeeper> {
    const turns = new Int32Array(new SharedArrayBuffer(4));
    const workerData: ThreadData = { settings, turns, stuckAfterMs: settings.stuckAfterMs };
    const thread = new Worker(url, { workerData, name: "q-leases", execArgv: [], stdout: false, stderr: false });
    await new Promise<void>((resolve, reject) => {
      thread.once("message", () => resolve());
      thread.once("error", (error) => reject(failure(settings, error)));
      thread.once("exit", () => reject(failure(settings)));
    });
    return new ThreadKeeper(thread, turns, logger);
  }

  keep(member: Member, onLost: () => void): void {
    this.#onLost.set(member.id, onLost);
    this.#post({ kind: "keep", member });
  }

  forget(id: string): void {
    if (this.#onLost.delete(id)) this.#post({ kind: "forget", id });
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#turning);
    const ended = new Promise<void>((resolve) => this.#thread.once("exit", () => resolve()));
    this.#thread.postMessage({ kind: "close" } satisfies ToThread);
    const timer = systemClock.setTimer(longestCloseMs, () => void this.#thread.terminate());
    await ended;
    timer.cancel();
  }

  #post(message: ToThread): void {
    if (!this.#isClosed) this.#thread.postMessage(message);
  }

  #hear(message: ToMain): void {
    if (message.kind === "lost") {
      const onLost = this.#onLost.get(message.id);
      this.#onLost.delete(message.id);
      onLost?.();
    } else if (message.kind === "log") {
      this.#logger[message.level](message.fields, message.text);
    }
  }

  #loseAll(): void {
    const listeners = [...this.#onLost.values()];
    this.#onLost.clear();
    for (const onLost of listeners) onLost();
  }
}

function failure({ address }: Settings, cause?: unknown): BrokerError {
  return new BrokerError("Q1001", `the thread that renews leases could not reach Redis at ${address}`, {
    cause,
    hint: "is it running, and reachable from here?",
  });
}
