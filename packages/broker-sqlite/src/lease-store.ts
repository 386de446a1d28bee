import type { Lease, LeaseStore, Timer } from "@q/core/broker";
import type { Store } from "./store.ts";

/** Locks as rows with an expiry date, renewed while their holder lives. */
export class SqliteLeaseStore implements LeaseStore {
  readonly #store: Store;
  readonly #held = new Set<SqliteLease>();

  constructor(store: Store) {
    this.#store = store;
  }

  async acquire(name: string, ttlMs: number): Promise<Lease | null> {
    const { connection, commits, sequence, session, clock } = this.#store;
    const askedAt = clock.monotonic();
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
    const lease = new SqliteLease(this.#store, {
      name,
      fence,
      ttlMs,
      heldSince: askedAt,
      onEnd: () => this.#held.delete(lease),
    });
    this.#held.add(lease);
    return lease;
  }

  /** The broker closes, and its leases are not ours any more. */
  loseAll(): void {
    for (const lease of this.#held) lease.lose();
  }
}

interface SqliteLeaseOptions {
  readonly name: string;
  readonly fence: number;
  readonly ttlMs: number;
  /** Monotonic milliseconds, before the row was written. */
  readonly heldSince: number;
  readonly onEnd: () => void;
}

class SqliteLease implements Lease {
  readonly name: string;
  readonly fence: number;
  readonly #store: Store;
  readonly #options: SqliteLeaseOptions;
  readonly #lost = new AbortController();
  #renewal: Timer | undefined;
  #deadline: Timer | undefined;
  #ended = false;

  constructor(store: Store, options: SqliteLeaseOptions) {
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
    if (this.#ended) return;
    this.#end();
    await this.#delete();
  }

  lose(): void {
    if (this.#ended) return;
    this.#end();
    this.#lost.abort();
  }

  #heldFrom(since: number): void {
    const { clock } = this.#store;
    const { ttlMs } = this.#options;
    this.#deadline?.cancel();
    // Measured from before the write, so that it ends here before it ends for the others.
    this.#deadline = clock.setTimer(Math.max(0, since + ttlMs - clock.monotonic()), () => this.#expired());
    this.#renewal = clock.setTimer(ttlMs / 3, () => void this.#renew());
  }

  async #renew(): Promise<void> {
    const { connection, commits, clock, logger } = this.#store;
    const { name, fence, ttlMs } = this.#options;
    const askedAt = clock.monotonic();
    const renew = (): number =>
      connection.run(
        "UPDATE lease SET expires_at = ? WHERE name = ? AND fence = ?",
        clock.now() + Math.ceil(ttlMs),
        name,
        fence,
      );
    try {
      const renewed = await commits.write(renew);
      if (this.#ended) return;
      if (renewed === 0) this.lose();
      else this.#heldFrom(askedAt);
    } catch (error) {
      if (this.#ended) return;
      logger.warn({ err: error, lease: name }, "renewing a lease failed; trying again until it runs out");
      this.#renewal = clock.setTimer(ttlMs / 10, () => void this.#renew());
    }
  }

  #expired(): void {
    this.lose();
    // A renewal that is still on its way must not keep the lock from others.
    void this.#delete();
  }

  async #delete(): Promise<void> {
    const { connection, commits, logger } = this.#store;
    const { name, fence } = this.#options;
    await commits
      .write(() => connection.run("DELETE FROM lease WHERE name = ? AND fence = ?", name, fence))
      .catch((error: unknown) =>
        logger.warn({ err: error, lease: name }, "releasing a lease failed; it runs out by itself"),
      );
  }

  #end(): void {
    this.#ended = true;
    this.#renewal?.cancel();
    this.#deadline?.cancel();
    this.#options.onEnd();
  }
}
