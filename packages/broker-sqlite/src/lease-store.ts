import { RenewedLease, type Lease, type LeaseStore } from "@q/core/broker";
import type { Store } from "./store.ts";

/** Locks as rows with an expiry date, renewed while their holder lives. */
export class SqliteLeaseStore implements LeaseStore {
  readonly #store: Store;
  readonly #held = new Set<RenewedLease>();

  constructor(store: Store) {
    this.#store = store;
  }

  async acquire(name: string, ttlMs: number): Promise<Lease | null> {
    const { connection, commits, sequence, session, clock, logger } = this.#store;
    const heldSince = clock.monotonic();
    const fence = await commits.write(
      () => {
        const now = clock.now();
        // Who is dead holds nothing: `Recovery` deletes his rows.
        const taken = connection.get("SELECT 1 FROM lease WHERE name = ? AND expires_at > ?", name, now);
        if (taken !== undefined) return undefined;
        const drawn = sequence.take();
        connection.run(
          "INSERT OR REPLACE INTO lease (name, fence, session_id, expires_at) VALUES (?, ?, ?, ?)",
          name,
          drawn,
          session.id,
          now + Math.ceil(ttlMs),
        );
        return drawn;
      },
      { durable: true },
    );
    if (fence === undefined) return null;
    const ours = "WHERE name = ? AND fence = ?";
    const lease = new RenewedLease({
      name,
      fence,
      ttlMs,
      heldSince,
      renew: async () => {
        const expiresAt = clock.now() + Math.ceil(ttlMs);
        const renewed = await commits.write(() =>
          connection.run(`UPDATE lease SET expires_at = ? ${ours}`, expiresAt, name, fence),
        );
        return renewed > 0;
      },
      free: () => commits.write(() => connection.run(`DELETE FROM lease ${ours}`, name, fence)),
      onEnd: (ended) => this.#held.delete(ended),
      clock,
      logger,
    });
    this.#held.add(lease);
    return lease;
  }

  /** The broker closes, and its leases are not ours any more. */
  loseAll(): void {
    for (const lease of this.#held) lease.lose();
  }
}
