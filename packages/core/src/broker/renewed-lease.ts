import type { Clock, Timer } from "../clock.ts";
import type { Logger } from "../logger.ts";
import type { Lease } from "./lease-store.ts";

export interface RenewedLeaseOptions {
  readonly name: string;
  readonly fence: number;
  readonly ttlMs: number;
  /** Monotonic milliseconds, from before the store was asked. */
  readonly heldSince: number;
  /** Has the store keep it for another `ttlMs`; `false`: somebody else has it. May throw, and is called again then. */
  readonly renew: () => Promise<boolean>;
  /** Lets others have it, if it is still ours. May throw: then it runs out by itself. */
  readonly free: () => Promise<unknown>;
  /** Told once, when it is not ours any more. */
  readonly onEnd: (lease: RenewedLease) => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How much earlier a lease ends for its holder. Stores count in whole milliseconds, timers come a little late, and no two clocks run equally fast. */
function marginMs(ttlMs: number): number {
  return 4 + ttlMs / 100;
}

/** A named lock that a store keeps until a date: renewed while its holder lives, and lost when that fails for too long. */
export class RenewedLease implements Lease {
  readonly name: string;
  readonly fence: number;
  readonly #options: RenewedLeaseOptions;
  readonly #lost = new AbortController();
  #renewal: Timer | undefined;
  #deadline: Timer | undefined;
  #hasEnded = false;

  constructor(options: RenewedLeaseOptions) {
    this.name = options.name;
    this.fence = options.fence;
    this.#options = options;
    this.#heldFrom(options.heldSince);
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  async release(): Promise<void> {
    if (this.#hasEnded) return;
    this.#end();
    await this.#free();
  }

  /** As `release`, and its holder is told. Never throws. */
  async giveUp(): Promise<void> {
    if (this.#hasEnded) return;
    this.lose();
    await this.#free();
  }

  /** Tells its holder, and leaves the store alone. */
  lose(): void {
    if (this.#hasEnded) return;
    this.#end();
    this.#lost.abort();
  }

  #heldFrom(since: number): void {
    const { clock, ttlMs } = this.#options;
    this.#deadline?.cancel();
    // Measured from before the store was asked, so that it ends here before it ends for the others. A renewal that is still on its way must not
    // keep the lock from them.
    const endsAt = since + ttlMs - marginMs(ttlMs);
    this.#deadline = clock.setTimer(Math.max(0, endsAt - clock.monotonic()), () => void this.giveUp());
    this.#renewal = clock.setTimer(ttlMs / 3, () => void this.#renew());
  }

  /** Never rejects. */
  async #renew(): Promise<void> {
    const { clock, logger, name, ttlMs, renew } = this.#options;
    const askedAt = clock.monotonic();
    try {
      const isOurs = await renew();
      if (this.#hasEnded) return;
      if (isOurs) this.#heldFrom(askedAt);
      else this.lose();
    } catch (error) {
      if (this.#hasEnded) return;
      logger.warn({ err: error, lease: name }, "renewing a lease failed; trying again until it runs out");
      this.#renewal = clock.setTimer(ttlMs / 10, () => void this.#renew());
    }
  }

  /** Never rejects. */
  async #free(): Promise<void> {
    const { logger, name, free } = this.#options;
    try {
      await free();
    } catch (error) {
      logger.warn({ err: error, lease: name }, "releasing a lease failed; it runs out by itself");
    }
  }

  #end(): void {
    this.#hasEnded = true;
    this.#renewal?.cancel();
    this.#deadline?.cancel();
    this.#options.onEnd(this);
  }
}
