import { randomUUID } from "node:crypto";
import { RenewedLease, type Lease, type LeaseStore } from "@q/core/broker";
import { leaseKey } from "./keys.ts";
import { acquireLease, releaseLease, renewLease } from "./scripts/lease.ts";
import type { Store } from "./store.ts";

/** Locks as hashes with an expiry date in server time, renewed while their holder lives. */
export class RedisLeaseStore implements LeaseStore {
  readonly #store: Store;
  readonly #held = new Set<RenewedLease>();

  constructor(store: Store) {
    this.#store = store;
  }

  async acquire(name: string, ttlMs: number): Promise<Lease | null> {
    const { connection, clock, logger, settings } = this.#store;
    await connection.ready(clock.monotonic() + settings.timeoutMs);
    const heldSince = clock.monotonic();
    const claim = { key: leaseKey(name, settings.prefix), token: randomUUID(), ttlMs };
    // When the answer is lost, nobody renews what was taken, and it runs out.
    const fence = await acquireLease(connection, claim);
    if (fence === undefined) return null;
    const lease = new RenewedLease({
      name,
      fence,
      ttlMs,
      heldSince,
      renew: () => renewLease(connection, claim),
      free: () => releaseLease(connection, claim),
      onEnd: (ended) => this.#held.delete(ended),
      clock,
      logger,
    });
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
