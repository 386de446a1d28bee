import type { Beats } from "./beats.ts";
import type { LeaseKeeper, Member } from "./lease-keeper.ts";

/**
 * Renews leases here until the keeper that does it from then on is ready: a thread needs its time to come up, on a busy machine longer than a short
 * lease, and consumers are at work meanwhile.
 */
export class EarlyKeeper implements LeaseKeeper {
  readonly ready: Promise<void>;
  readonly #keeper: LeaseKeeper;
  #beats: Beats | undefined;

  /** @param beats on a connection that is there */
  constructor(keeper: LeaseKeeper, beats: Beats) {
    this.#keeper = keeper;
    this.#beats = beats;
    this.ready = keeper.ready.finally(() => this.#end());
    // Whoever consumes hears why.
    this.ready.catch(() => undefined);
  }

  /** Both may find the lease gone, and tell. */
  keep(member: Member, onLost: () => void): void {
    this.#beats?.keep(member, onLost);
    this.#keeper.keep(member, onLost);
  }

  forget(id: string): void {
    this.#beats?.forget(id);
    this.#keeper.forget(id);
  }

  async close(): Promise<void> {
    this.#end();
    await this.#keeper.close();
  }

  #end(): void {
    this.#beats?.close();
    this.#beats = undefined;
  }
}
