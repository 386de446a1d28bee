import type { Delivery, Outcome } from "../broker/delivery.ts";
import type { Lease, LeaseStore } from "../broker/lease-store.ts";
import { begunHeader, noOverlapHeader, scheduleHeader } from "../celery-headers.ts";
import { sleep, type Clock } from "../clock.ts";
import type { Logger } from "../logger.ts";
import type { Message } from "../message.ts";
import type { TaskEvent } from "./worker-event.ts";

/** Whether a run may begin: with a lease, without one, or not at all. */
export type Admission =
  | { readonly kind: "run"; readonly lease: Lease | undefined }
  | { readonly kind: "settle"; readonly outcome: Outcome; readonly event: TaskEvent | undefined };

/** A dead holder loses it after this long. Longer than most handlers keep the event loop, which renews it. */
const ttlMs = 30_000;
/** A holder that died is out of the way by then. */
const patienceMs = ttlMs + 5000;
const pollMs = 500;
const againMs = 10_000;

export interface OverlapOptions {
  readonly leases: LeaseStore | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Ends all waiting: the worker stops. */
  readonly signal: AbortSignal;
}

/** Keeps runs of one schedule apart, by a lease that its run holds. Only for schedules that want it: others cost nothing. */
export class OverlapGuard {
  readonly #options: OverlapOptions;
  #hasWarned = false;

  constructor(options: OverlapOptions) {
    this.#options = options;
  }

  /** The schedule whose runs must not overlap, `undefined` for all other messages. */
  scheduleOf({ message }: Delivery): string | undefined {
    if ("malformed" in message || message.headers[noOverlapHeader] !== true) return undefined;
    const name = message.headers[scheduleHeader];
    return typeof name === "string" && name.length <= 100 ? name : undefined;
  }

  /**
   * Skips the run when that of an earlier tick has not ended. One that has begun before is not skipped, which would lose what it has not done: it
   * waits, also for its own lease from a worker that died, and is put back. Never rejects.
   */
  async admit(schedule: string, delivery: Delivery, message: Message): Promise<Admission> {
    const { leases, clock, logger, signal } = this.#options;
    if (leases === undefined) return this.#withoutLeases();
    const { id, task, queue, retries } = message;
    const facts = { id, task, queue, retries, crashes: delivery.crashes };
    const headers = "malformed" in delivery.message ? {} : delivery.message.headers;
    const hasBegun = delivery.crashes > 0 || retries > 0 || headers[begunHeader] === true;
    const until = clock.monotonic() + patienceMs;
    try {
      for (;;) {
        const lease = await leases.acquire(`schedule:${schedule}`, ttlMs);
        if (lease !== null) return { kind: "run", lease };
        if (!hasBegun) {
          const event = { ...facts, type: "task.skipped", schedule, because: "overlap" } as const;
          return { kind: "settle", outcome: { kind: "ack" }, event };
        }
        if (clock.monotonic() < until && (await sleep(clock, pollMs, signal))) continue;
        if (signal.aborted) return giveBack;
        // What is put back has no crashes any more.
        const outcome = { kind: "requeue", delayMs: againMs, headers: { ...headers, [begunHeader]: true } } as const;
        return { kind: "settle", outcome, event: { ...facts, type: "task.postponed", delayMs: againMs } };
      }
    } catch (error) {
      logger.warn({ err: error, schedule }, "the lease of a schedule could not be asked for; giving its message back");
      return giveBack;
    }
  }

  #withoutLeases(): Admission {
    if (!this.#hasWarned) this.#options.logger.warn({}, 'this broker has no leases: overlap: "skip" is not kept');
    this.#hasWarned = true;
    return { kind: "run", lease: undefined };
  }
}

const giveBack: Admission = { kind: "settle", outcome: { kind: "release" }, event: undefined };
