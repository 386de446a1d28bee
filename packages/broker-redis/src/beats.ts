import {
  systemLiveness,
  type Clock,
  type Liveness,
  type Logger,
  type ProcessIdentity,
  type Timer,
} from "@q/core/broker";
import type { Connection } from "./connection.ts";
import { queueKeys } from "./keys.ts";
import type { LeaseKeeper, Member } from "./lease-keeper.ts";
import type { Settings } from "./options.ts";
import { processOf } from "./process-name.ts";
import { renew } from "./scripts/renew.ts";

/** How often the processes of this machine are looked at. Costs Redis nothing. Milliseconds. */
const lookEveryMs = 400;

export interface BeatsOptions {
  readonly connection: Connection;
  readonly settings: Settings;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly liveness?: Liveness;
}

interface Kept extends Member {
  readonly onLost: () => void;
  /** Other processes that consume the same queue on this machine. */
  neighbours: ReadonlyMap<string, ProcessIdentity>;
  beating: Promise<void> | undefined;
}

/**
 * The regular sign of life of every consumer, and the look at who gives none. A process of this machine that has died is seen at once, any other
 * when its lease ends.
 */
export class Beats implements LeaseKeeper {
  readonly #options: BeatsOptions;
  readonly #liveness: Liveness;
  readonly #kept = new Map<string, Kept>();
  readonly #beatTimer: Timer;
  #lookTimer: Timer | undefined;
  readonly #stopListening: () => void;

  constructor(options: BeatsOptions) {
    this.#options = options;
    this.#liveness = options.liveness ?? systemLiveness();
    this.#beatTimer = every(options.clock, beatMs(options.settings), () => this.#beatAll());
    // The beat that is due may fall into the next cut.
    this.#stopListening = options.connection.onReconnect(() => this.#beatAll());
  }

  keep(member: Member, onLost: () => void): void {
    const kept: Kept = { ...member, onLost, neighbours: new Map(), beating: undefined };
    this.#kept.set(member.id, kept);
    // At once, so that a worker that was started again takes over what its predecessor held.
    this.#beat(kept);
  }

  forget(id: string): void {
    this.#kept.delete(id);
  }

  /** A beat now, outside of the rhythm. For tests. */
  async beatNow(): Promise<void> {
    this.#beatAll();
    for (const { beating } of this.#kept.values()) await beating;
  }

  /** The connection is its owner's to close. */
  close(): Promise<void> {
    this.#beatTimer.cancel();
    this.#lookTimer?.cancel();
    this.#stopListening();
    this.#kept.clear();
    return Promise.resolve();
  }

  #beatAll(): void {
    for (const kept of this.#kept.values()) this.#beat(kept);
  }

  #beat(kept: Kept, knownDead: readonly string[] = []): void {
    kept.beating ??= this.#renew(kept, knownDead)
      .catch((error: unknown) => {
        // The connection says by itself when it is gone; the lease outlives a few beats.
        this.#options.logger.debug({ err: error, queue: kept.queue }, "a lease could not be renewed; trying again");
      })
      .finally(() => {
        kept.beating = undefined;
      });
  }

  async #renew(kept: Kept, knownDead: readonly string[]): Promise<void> {
    const { connection, settings, logger } = this.#options;
    const keys = queueKeys(kept.queue, settings.prefix, { inCluster: settings.target.kind === "cluster" });
    const { leaseMs, crashDelayMs } = settings;
    // Two beats and a half: one may be late, and Redis busy.
    const consumer = { id: kept.id, leaseMs, silenceMs: 2.5 * beatMs(settings), crashDelayMs };
    let dead = knownDead;
    for (;;) {
      const renewal = await renew(connection, keys, { ...consumer, knownDead: dead });
      if (renewal.recovered > 0)
        logger.warn({ queue: kept.queue, messages: renewal.recovered }, "a worker died; what it held goes to others");
      if (!this.#kept.has(kept.id)) return;
      if (!renewal.alive) {
        this.#kept.delete(kept.id);
        return kept.onLost();
      }
      kept.neighbours = this.#neighboursAmong(renewal.consumers);
      this.#lookSoon();
      dead = this.#deadAmong(kept);
      if (!renewal.more && dead.length === 0) return;
    }
  }

  /** Whoever is alone on its machine sleeps until the next beat. */
  #lookSoon(): void {
    if (![...this.#kept.values()].some(({ neighbours }) => neighbours.size > 0)) return;
    this.#lookTimer ??= this.#options.clock.setTimer(lookEveryMs, () => this.#lookAround());
  }

  #lookAround(): void {
    this.#lookTimer = undefined;
    for (const kept of this.#kept.values()) {
      const dead = this.#deadAmong(kept);
      if (dead.length > 0) this.#beat(kept, dead);
    }
    this.#lookSoon();
  }

  /** Only of this start of this machine, and with our numbering of processes, can anything be said. */
  #neighboursAmong(ids: readonly string[]): ReadonlyMap<string, ProcessIdentity> {
    const { own } = this.#liveness;
    const found = new Map<string, ProcessIdentity>();
    if (own.bootId === null || own.pidNamespace === null) return found;
    for (const id of ids) {
      const process = processOf(id);
      const isHere = process?.bootId === own.bootId && process.pidNamespace === own.pidNamespace;
      const isOwn = process?.pid === own.pid && process.startedAt === own.startedAt;
      if (isHere && !isOwn) found.set(id, process);
    }
    return found;
  }

  #deadAmong({ neighbours }: Kept): readonly string[] {
    const dead = [...neighbours].filter(([, process]) => this.#liveness.check(process) === "dead");
    return dead.map(([id]) => id);
  }
}

/** How long Redis may say nothing to a beat: when the connection is gone without a word, another one must be there before the lease ends. Milliseconds. */
export function beatSilenceMs({ leaseMs, timeoutMs }: Settings): number {
  return Math.min(timeoutMs, leaseMs / 3);
}

/** A sixth of the lease: five beats may be lost. */
function beatMs({ leaseMs }: Settings): number {
  return leaseMs / 6;
}

function every(clock: Clock, ms: number, callback: () => void): Timer {
  let timer = clock.setTimer(ms, tick);
  function tick(): void {
    timer = clock.setTimer(ms, tick);
    callback();
  }
  return { cancel: () => timer.cancel() };
}
