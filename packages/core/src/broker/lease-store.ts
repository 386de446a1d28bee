/** A named lock in one process's hands. */
export interface Lease {
  readonly name: string;
  /** Grows with each new holder of this name: hand it to a store to refuse a stale writer. */
  readonly fence: number;
  /** Aborts when the lease could not be renewed in time. */
  readonly lost: AbortSignal;
  /** Lets the next one have it. May be called twice. Never throws. */
  release(): Promise<void>;
}

/** Named locks, renewed by the broker until released or lost. */
export interface LeaseStore {
  /**
   * Takes the lock, or `null` when somebody else has it. A holder that dies loses it after at most `ttlMs` milliseconds.
   * @throws BrokerError when the broker cannot be reached
   */
  acquire(name: string, ttlMs: number): Promise<Lease | null>;
}
