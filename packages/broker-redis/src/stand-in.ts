import { silentLogger, systemClock, type Logger } from "@q/core/broker";
import { Beats, beatSilenceMs } from "./beats.ts";
import type { Connection } from "./connection.ts";
import { FailoverWatch } from "./failover-watch.ts";
import type { Member } from "./lease-keeper.ts";
import { openInsistently } from "./open-insistently.ts";
import type { Settings } from "./options.ts";
import type { ToMain } from "./thread-keeper.ts";

export interface StandInOptions {
  readonly settings: Settings;
  readonly members: readonly Member[];
  readonly tell: (message: ToMain) => void;
}

/** Renews some leases at once and then regularly, on a connection of its own, until it is closed. */
export class StandIn {
  readonly #options: StandInOptions;
  readonly #logger: Logger;
  readonly #failovers: FailoverWatch;
  #isClosed = false;
  #connection: Connection | undefined;
  #beats: Beats | undefined;

  constructor(options: StandInOptions) {
    const { settings, tell } = options;
    this.#options = options;
    this.#logger = { ...silentLogger, warn: (fields, text) => tell({ kind: "warning", fields, text }) };
    this.#failovers = new FailoverWatch(settings);
    void this.#begin();
  }

  close(): void {
    this.#isClosed = true;
    void this.#beats?.close();
    this.#connection?.close();
    this.#failovers.close();
  }

  /** Never rejects. */
  async #begin(): Promise<void> {
    const { settings, members, tell } = this.#options;
    const connection = await this.#connect();
    if (connection === undefined) return;
    if (this.#isClosed) return connection.close();
    this.#connection = connection;
    this.#beats = new Beats({ connection, settings, clock: systemClock, logger: this.#logger });
    for (const member of members) this.#beats.keep(member, () => tell({ kind: "lost", id: member.id }));
  }

  /** Tries for as long as it is needed: an outage may end before the leases do. Never rejects. */
  async #connect(): Promise<Connection | undefined> {
    const { settings } = this.#options;
    let isFirst = true;
    const goesOn = (failure: unknown): boolean => {
      // The main thread turns again: what was under way for it does not matter.
      if (this.#isClosed) return false;
      const reason = failure instanceof Error ? failure.message : String(failure);
      if (isFirst) this.#logger.warn({ reason }, "no lease is renewed while the event loop is blocked; trying again");
      isFirst = false;
      return true;
    };
    // What a connection says of itself would be of one that nobody knows of.
    const options = {
      settings,
      failovers: this.#failovers,
      clock: systemClock,
      logger: silentLogger,
      silenceMs: beatSilenceMs(settings),
    };
    return await openInsistently(options, goesOn).catch(() => undefined);
  }
}
