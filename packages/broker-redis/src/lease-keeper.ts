/** A consumer of one queue. */
export interface Member {
  readonly queue: string;
  readonly id: string;
}

/** Renews leases until they are forgotten or lost. */
export interface LeaseKeeper {
  /** Settled when it can renew, or never will. It may be told what to keep before. @throws BrokerError `Q1001` */
  readonly ready: Promise<void>;
  /** @param onLost told once, when the lease turns out to be gone */
  keep(member: Member, onLost: () => void): void;
  forget(id: string): void;
  /** Ends everything. Never throws. */
  close(): Promise<void>;
}
