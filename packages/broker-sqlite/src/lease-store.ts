import { RenewedLease, type Lease, type LeaseStore } from "@q/core/broker";
import type { Store } from "./store.ts";

interface LeaseRow {
  readonly expires_at: number;
  readonly session_id: number;
}

/** What no session has as its id. */
const nobody = 0;

/** Locks as rows with an expiry date, renewed while their holder lives. */
export class SqliteLeaseStore implements LeaseStore {
  readonly #store: Store;
  readonly #held = new Set<RenewedLease>();

  constructor(store: Store) {
    this.#store = store;
  }

  async acquire(name: string, ttlMs: number): Promise<Lease | null> {
    const { connection, commits, sequence, session, clock, logger } = this.#store;
    const lifeMs = Math.ceil(ttlMs);
    const heldSince = clock.monotonic();
    const fence = await commits.write(
      () => {
        const now = clock.now();
        // Who is dead holds nothing: `Recovery` deletes his rows.
        const held = connection.get<LeaseRow>("SELECT expires_at, session_id FROM lease WHERE name = ?", name);
        if (held !== undefined && held.expires_at > now) return undefined;
        if (held !== undefined && session.isAlive(held.session_id)) {
          // Who lives renews his leases in time, so the clock was set. Once: as nobody's it is free when this time is over and he did not renew it.
          connection.run(`UPDATE lease SET expires_at = ?, session_id = ${nobody} WHERE name = ?`, now + lifeMs, name);
          return undefined;
        }
        const drawn = sequence.take();
        connection.run(
          "INSERT OR REPLACE INTO lease (name, fence, session_id, expires_at) VALUES (?, ?, ?, ?)",
          name,
          drawn,
          session.id,
          now + lifeMs,
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
        const expiresAt = clock.now() + lifeMs;
        const renewal = `UPDATE lease SET expires_at = ?, session_id = ? ${ours}`;
        const renewed = await commits.write(() => connection.run(renewal, expiresAt, session.id, name, fence));
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
