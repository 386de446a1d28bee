import { sleep, type Clock } from "../clock.ts";
import type { Lease, LeaseStore } from "../broker/lease-store.ts";
import type { MemoryConnection } from "./memory-connection.ts";

interface LeaseRecord {
  fence: number;
  /** The lease in force; undefined when it was let go. */
  holder: MemoryLease | undefined;
  /** Monotonic milliseconds. */
  expiresAt: number;
}

/** All named locks of one store. */
export class MemoryLeaseTable {
  readonly #clock: Clock;
  readonly #records: Map<string, LeaseRecord> = new Map();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Makes `lease` the holder and answers its fence number; `undefined` when another one holds the name. */
  take(lease: MemoryLease): number | undefined {
    const record = this.#records.get(lease.name) ?? { fence: 0, holder: undefined, expiresAt: 0 };
    if (record.holder !== undefined && record.expiresAt > this.#clock.monotonic()) return undefined;
    record.fence += 1;
    record.holder = lease;
    record.expiresAt = this.#clock.monotonic() + lease.ttlMs;
    this.#records.set(lease.name, record);
    return record.fence;
  }

  renew(lease: MemoryLease): boolean {
    const record = this.#records.get(lease.name);
    const now = this.#clock.monotonic();
    if (record?.holder !== lease || record.expiresAt <= now) return false;
    record.expiresAt = now + lease.ttlMs;
    return true;
  }

  letGo(lease: MemoryLease): void {
    const record = this.#records.get(lease.name);
    if (record?.holder === lease) record.holder = undefined;
  }
}

/** The locks that one memory broker can take. */
export class MemoryLeases implements LeaseStore {
  readonly #table: MemoryLeaseTable;
  readonly #connection: MemoryConnection;
  readonly #clock: Clock;
  readonly #mine: Set<MemoryLease> = new Set();

  constructor(table: MemoryLeaseTable, connection: MemoryConnection, clock: Clock) {
    this.#table = table;
    this.#connection = connection;
    this.#clock = clock;
  }

  async acquire(name: string, ttlMs: number): Promise<Lease | null> {
    const lease = new MemoryLease(name, ttlMs);
    const fence = this.#connection.request(() => this.#table.take(lease));
    if (fence === undefined) return null;
    lease.fence = fence;
    lease.onRelease = () => this.#release(lease);
    this.#mine.add(lease);
    void this.#keep(lease);
    return lease;
  }

  /** The process was away for too long: all its locks are free, and it knows. */
  expire(): void {
    for (const lease of this.#mine) {
      this.#table.letGo(lease);
      this.#end(lease);
    }
  }

  /** Nobody renews any more, and nobody is told: the process is dead. */
  abandon(): void {
    for (const lease of this.#mine) lease.ended.abort();
    this.#mine.clear();
  }

  async releaseAll(): Promise<void> {
    await Promise.all([...this.#mine].map((lease) => lease.release()));
  }

  async #keep(lease: MemoryLease): Promise<void> {
    let expiresAt = this.#clock.monotonic() + lease.ttlMs;
    while (await sleep(this.#clock, lease.ttlMs / 3, lease.ended.signal)) {
      const renewed = this.#renew(lease);
      if (renewed === true) expiresAt = this.#clock.monotonic() + lease.ttlMs;
      else if (renewed === false || this.#clock.monotonic() >= expiresAt) this.#end(lease);
    }
  }

  /** `undefined` when the store could not be asked. */
  #renew(lease: MemoryLease): boolean | undefined {
    try {
      return this.#connection.request(() => this.#table.renew(lease));
    } catch {
      // Not knowing is no reason to give up: the lease holds until its time is over.
      return undefined;
    }
  }

  #end(lease: MemoryLease): void {
    this.#mine.delete(lease);
    lease.ended.abort();
    lease.lose();
  }

  #release(lease: MemoryLease): void {
    if (!this.#mine.delete(lease)) return;
    lease.ended.abort();
    try {
      this.#connection.request(() => this.#table.letGo(lease));
    } catch {
      // It cannot be told now; the lease ends with its time.
    }
  }
}

class MemoryLease implements Lease {
  readonly name: string;
  readonly ttlMs: number;
  fence = 0;
  /** Ends the renewals. */
  readonly ended: AbortController = new AbortController();
  onRelease: () => void = () => undefined;
  readonly #lost = new AbortController();

  constructor(name: string, ttlMs: number) {
    this.name = name;
    this.ttlMs = ttlMs;
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  lose(): void {
    this.#lost.abort();
  }

  async release(): Promise<void> {
    this.onRelease();
  }
}
