/** A consumer of one queue. */
export interface Member {
  readonly queue: string;
  readonly id: string;
}

/** Renews leases until they are forgotten or lost. */
export interface LeaseKeeper {
  /** @param onLost told when the lease turns out to be gone, maybe by several keepers */
  keep(member: Member, onLost: () => void): void;
  forget(id: string): void;
  /** Ends everything. Never throws. */
  close(): Promise<void>;
}

/** Several, each of which knows every lease. */
export class LeaseKeepers implements LeaseKeeper {
  readonly #keepers: readonly LeaseKeeper[];

  constructor(keepers: readonly LeaseKeeper[]) {
    this.#keepers = keepers;
  }

  keep(member: Member, onLost: () => void): void {
    for (const keeper of this.#keepers) keeper.keep(member, onLost);
  }

  forget(id: string): void {
    for (const keeper of this.#keepers) keeper.forget(id);
  }

  async close(): Promise<void> {
    await Promise.all(this.#keepers.map((keeper) => keeper.close()));
  }
}
