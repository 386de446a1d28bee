import { randomUUID } from "node:crypto";
import type { Lease, LeaseStore, Timer } from "@q/core/broker";
import { leaseKey } from "./keys.ts";
import { acquireLease, releaseLease, renewLease, type Claim } from "./scripts/lease.ts";
import type { Store } from "./store.ts";

/** Locks as hashes with an expiry date in server time, renewed while their holder lives. */
export class RedisLeaseStore implements LeaseStore {
  readonly #store: Store;
  readonly #held = new Set<RedisLease>();

  constructor(store: Store) {
    this.#store = store;
  }

  async acquire(name: string, ttlMs: number): Promise<Lease | null> {
    const { connection, clock, settings } = this.#store;
    await connection.ready(clock.monotonic() + settings.timeoutMs);
    const askedAt = clock.monotonic();
    const claim = { key: leaseKey(name, settings.prefix), token: randomUUID(), ttlMs };
    // When the answer is lost, nobody renews what was taken, and it runs out.
    const fence = await acquireLease(connection, claim);
    if (fence === undefined) return null;
    const onEnd = (): void => void this.#held.delete(lease);
    const lease = new RedisLease(this.#store, { name, fence, claim, heldSince: askedAt, onEnd });
    this.#held.add(lease);
    return lease;
  }

  /** Lets others have what is held here. Never throws. */
  async releaseAll(): Promise<void> {
    await Promise.all([...this.#held].map((lease) => lease.giveUp()));
  }

  /** The broker disconnects, and its leases are not ours any more. */
  loseAll(): void {
    for (const lease of this.#held) lease.lose();
  }
}

interface RedisLeaseOptions {
  readonly name: string;
  readonly fence: number;
  readonly claim: Claim;
  /** Monotonic milliseconds, before Redis was asked. */
  readonly heldSince: number;
  readonly onEnd: () => void;
}

class RedisLease implements Lease {
  readonly name: string;
  readonly fence: number;
  readonly #store: Store;
  readonly #options: RedisLeaseOptions;
  readonly #lost = new AbortController();
  #renewal: Timer | undefined;
  #deadline: Timer | undefined;
  #hasEnded = false;

  constructor(store: Store, options: RedisLeaseOptions) {
    this.name = options.name;
    this.fence = options.fence;
    this.#store = store;
    this.#options = options;
    this.#heldFrom(options.heldSince);
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  async release(): Promise<void> {
    if (this.#hasEnded) return;
    this.#end();
    await this.#delete();
  }

  /** As `release`, and its holder is told. Never throws. */
  async giveUp(): Promise<void> {
    if (this.#hasEnded) return;
    this.lose();
    await this.#delete();
  }

  lose(): void {
    if (this.#hasEnded) return;
    this.#end();
    this.#lost.abort();
  }

  #heldFrom(since: number): void {
    const { clock } = this.#store;
    const { ttlMs } = this.#options.claim;
    this.#deadline?.cancel();
    // Measured from before Redis was asked, so that it ends here before it ends for the others.
    this.#deadline = clock.setTimer(Math.max(0, since + ttlMs - clock.monotonic()), () => this.#expired());
    this.#renewal = clock.setTimer(ttlMs / 3, () => void this.#renew());
  }

  async #renew(): Promise<void> {
    const { connection, clock, logger } = this.#store;
    const { name, claim } = this.#options;
    const askedAt = clock.monotonic();
    try {
      const isOurs = await renewLease(connection, claim);
      if (this.#hasEnded) return;
      if (isOurs) this.#heldFrom(askedAt);
      else this.lose();
    } catch (error) {
      if (this.#hasEnded) return;
      logger.warn({ err: error, lease: name }, "renewing a lease failed; trying again until it runs out");
      this.#renewal = clock.setTimer(claim.ttlMs / 10, () => void this.#renew());
    }
  }

  #expired(): void {
    // A renewal that is still on its way must not keep the lock from others.
    void this.giveUp();
  }

  async #delete(): Promise<void> {
    const { connection, logger } = this.#store;
    const { name, claim } = this.#options;
    await releaseLease(connection, claim).catch((error: unknown) =>
      logger.warn({ err: error, lease: name }, "releasing a lease failed; it runs out by itself"),
    );
  }

  #end(): void {
    this.#hasEnded = true;
    this.#renewal?.cancel();
    this.#deadline?.cancel();
    this.#options.onEnd();
  }
}
