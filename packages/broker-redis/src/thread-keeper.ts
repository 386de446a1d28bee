import { Worker } from "node:worker_threads";
import { systemClock, type LogFields, type Logger } from "@q/core/broker";
import type { LeaseKeeper, Member } from "./lease-keeper.ts";
import type { Settings } from "./options.ts";

/** What the thread is born with. */
export interface ThreadData {
  readonly settings: Settings;
  /** Grows as long as the main thread's event loop turns. */
  readonly turns: Int32Array;
  /** How often it grows, and is looked at. Milliseconds. */
  readonly turnEveryMs: number;
  /** How long the main thread may stand still before its leases are renewed for it. Milliseconds. */
  readonly takeOverAfterMs: number;
}

export type ToThread =
  | { readonly kind: "keep"; readonly member: Member }
  | { readonly kind: "forget"; readonly id: string }
  | { readonly kind: "close" };

export type ToMain =
  | { readonly kind: "lost"; readonly id: string }
  | { readonly kind: "warning"; readonly fields: LogFields; readonly text: string };

/** Longest that closing waits for the thread. Milliseconds. */
const longestCloseMs = 1000;
/** It lives as long as the process and needs little: a young generation that grows with each module it loads would stay as large. */
const resourceLimits = { maxYoungGenerationSizeMb: 1 };

/**
 * Renews leases whenever the event loop of this thread stands still, from a thread of its own. One that fails is logged: only what computes for
 * longer than a lease needed it.
 */
export class ThreadKeeper implements LeaseKeeper {
  readonly #thread: Worker;
  readonly #logger: Logger;
  readonly #onLost = new Map<string, () => void>();
  readonly #turning: NodeJS.Timeout;
  readonly #ended: Promise<void>;
  #isOnline = false;
  #isClosed = false;

  /** The thread comes up by itself, even while this one computes. What it is told meanwhile it hears then. */
  constructor(settings: Settings, logger: Logger, url: URL) {
    const turns = new Int32Array(new SharedArrayBuffer(4));
    const { leaseMs, stuckAfterMs } = settings;
    // A third of the lease after the last sign of life the thread is at work, at the latest.
    const takeOverAfterMs = leaseMs / 12;
    const turnEveryMs = Math.min(takeOverAfterMs / 2, (stuckAfterMs ?? Infinity) / 8);
    const workerData: ThreadData = { settings, turns, turnEveryMs, takeOverAfterMs };
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
    this.#turning = setInterval(() => Atomics.add(turns, 0, 1), turnEveryMs).unref();
    this.#ended = new Promise((resolve) => thread.once("exit", () => resolve()));
    thread.once("online", () => (this.#isOnline = true));
    thread.on("message", (message: ToMain) => this.#hear(message));
    thread.on("error", (err) => {
      logger.error(
        { err },
        "the thread that renews leases failed: what computes for longer than a lease may run twice",
      );
    });
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
    // One that is not up reads nothing yet.
    const timer = systemClock.setTimer(this.#isOnline ? longestCloseMs : 0, () => void this.#thread.terminate());
    await this.#ended;
    timer.cancel();
  }

  #post(message: ToThread): void {
    if (!this.#isClosed) this.#thread.postMessage(message);
  }

  #hear(message: ToMain): void {
    if (message.kind === "warning") return this.#logger.warn(message.fields, message.text);
    const onLost = this.#onLost.get(message.id);
    this.#onLost.delete(message.id);
    onLost?.();
  }
}
