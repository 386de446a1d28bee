import { Worker } from "node:worker_threads";
import { BrokerError, systemClock, type Logger } from "@q/core/broker";
import type { LeaseKeeper, Member } from "./lease-keeper.ts";
import type { Settings } from "./options.ts";

/** What the thread is born with. */
export interface ThreadData {
  readonly settings: Settings;
  /** Grows as long as the main thread's event loop turns. */
  readonly turns: Int32Array;
  /** When to end the process; `null` is never. */
  readonly stuck: { readonly afterMs: number; readonly turnEveryMs: number } | null;
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

/** Longest that closing waits for the thread. Milliseconds. */
const longestCloseMs = 1000;
/** It lives as long as the process and needs little: a young generation that grows with each module it loads would stay as large. */
const resourceLimits = { maxYoungGenerationSizeMb: 1 };

/** Keeps leases in a thread of its own, with a connection of its own. */
export class ThreadKeeper implements LeaseKeeper {
  readonly ready: Promise<void>;
  readonly #thread: Worker;
  readonly #logger: Logger;
  readonly #onLost = new Map<string, () => void>();
  readonly #turning: NodeJS.Timeout | undefined;
  readonly #ended: Promise<void>;
  #isReady = false;
  #isClosed = false;

  /** The thread comes up by itself, even while this one computes. What it is told meanwhile it hears then. */
  constructor(settings: Settings, logger: Logger, url: URL) {
    const turns = new Int32Array(new SharedArrayBuffer(4));
    const stuck = stuckOf(settings);
    const workerData: ThreadData = { settings, turns, stuck };
    const thread = new Worker(url, {
      workerData,
      name: "q-leases",
      execArgv: [],
      stdout: false,
      stderr: false,
      resourceLimits,
    });
    this.#thread = thread;
    this.#logger = logger;
    if (stuck !== null) this.#turning = setInterval(() => Atomics.add(turns, 0, 1), stuck.turnEveryMs).unref();
    this.#ended = new Promise((resolve) => thread.once("exit", () => resolve()));
    this.ready = new Promise<void>((resolve, reject) => {
      thread.once("message", () => resolve());
      thread.once("error", (error) => reject(failure(settings, error)));
      thread.once("exit", () => reject(failure(settings)));
    });
    // Whoever consumes hears why; when it is closed before, nobody asks.
    this.ready.then(
      () => (this.#isReady = true),
      () => undefined,
    );
    thread.on("message", (message: ToMain) => this.#hear(message));
    thread.on("error", (error) => this.#onError(error));
    thread.unref();
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
    this.#thread.postMessage({ kind: "close" } satisfies ToThread);
    // One that is not ready reads nothing yet.
    const timer = systemClock.setTimer(this.#isReady ? longestCloseMs : 0, () => void this.#thread.terminate());
    await this.#ended;
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

  /** Before it was ready, `ready` tells it. */
  #onError(error: unknown): void {
    if (!this.#isReady) return;
    this.#logger.error({ err: error }, "the thread that renews leases failed; what is held here will go to others");
    this.#loseAll();
  }

  #loseAll(): void {
    const listeners = [...this.#onLost.values()];
    this.#onLost.clear();
    for (const onLost of listeners) onLost();
  }
}

/** Often enough to tell, and seldom enough to let an idle process sleep. */
function stuckOf({ stuckAfterMs }: Settings): ThreadData["stuck"] {
  return stuckAfterMs === null ? null : { afterMs: stuckAfterMs, turnEveryMs: Math.min(5000, stuckAfterMs / 8) };
}

function failure({ address }: Settings, cause?: unknown): BrokerError {
  return new BrokerError("Q1001", `the thread that renews leases could not reach Redis at ${address}`, {
    cause,
    hint: "is it running, and reachable from here?",
  });
}
