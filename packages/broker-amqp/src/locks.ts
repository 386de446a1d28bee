import { BrokerError, sleep, type Clock } from "@q/core/broker";
import { amqpError, replyCode, replyCodeOf } from "./amqp-error.ts";
import type { Connection } from "./connection.ts";
import type { Link } from "./link.ts";
import { lockQueue } from "./names.ts";

export interface LocksOptions {
  readonly quiet: () => Promise<Connection>;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly address: string;
}

/** A lock in this process's hands. */
export interface Lock {
  /** Aborts when the connection that holds it has ended. */
  readonly lost: AbortSignal;
  /** Never throws. */
  release(): Promise<void>;
}

const shortestPauseMs = 5;
const longestPauseMs = 50;

/** Locks between processes: a queue that only one connection may declare, and that goes with it. */
export class Locks {
  readonly #options: LocksOptions;
  /** The server would let this process declare its own once more. */
  readonly #held = new Set<string>();

  constructor(options: LocksOptions) {
    this.#options = options;
  }

  /** @throws BrokerError when the broker cannot be reached */
  async acquire(name: string): Promise<Lock | null> {
    if (this.#held.has(name)) return null;
    this.#held.add(name);
    try {
      const link = await (await this.#options.quiet()).ready();
      await link.ask((channel) => channel.assertQueue(lockQueue(name), { exclusive: true, durable: false }));
      return this.#lock(name, link);
    } catch (error) {
      this.#held.delete(name);
      if (replyCodeOf(error) === replyCode.locked) return null;
      throw amqpError(error, this.#options.address);
    }
  }

  /**
   * Does something while nobody else does it.
   * @throws BrokerError `Q1026` when somebody else was at it for too long; whatever `work` throws
   */
  async hold<T>(name: string, work: () => Promise<T>): Promise<T> {
    const { clock, timeoutMs } = this.#options;
    const until = clock.monotonic() + timeoutMs;
    for (;;) {
      const lock = await this.acquire(name);
      if (lock !== null) {
        try {
          return await work();
        } finally {
          await lock.release();
        }
      }
      if (clock.monotonic() >= until) {
        throw new BrokerError("Q1026", `another process has been at ${name} for more than ${timeoutMs} ms`, {
          hint: "try again",
        });
      }
      await sleep(clock, shortestPauseMs + Math.random() * (longestPauseMs - shortestPauseMs));
    }
  }

  #lock(name: string, link: Link): Lock {
    const lost = new AbortController();
    const onLost = (): void => {
      this.#held.delete(name);
      lost.abort();
    };
    if (link.lost.aborted) onLost();
    else link.lost.addEventListener("abort", onLost, { once: true });
    return {
      lost: lost.signal,
      release: async () => {
        if (lost.signal.aborted || !this.#held.has(name)) return;
        link.lost.removeEventListener("abort", onLost);
        // With the connection it would go as well.
        await link.ask((channel) => channel.deleteQueue(lockQueue(name))).catch(() => undefined);
        this.#held.delete(name);
      },
    };
  }
}
