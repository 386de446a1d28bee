import type { Clock, Liveness, Logger, Timer } from "@q/core/broker";
import type { Connection } from "./connection.ts";
import type { GroupCommit } from "./group-commit.ts";
import { identityOf, sessionColumns, type Session, type SessionRow } from "./session.ts";

export interface RecoveryOptions {
  readonly connection: Connection;
  readonly commits: GroupCommit;
  readonly session: Session;
  readonly liveness: Liveness;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How often to look for dead processes. Milliseconds. */
  readonly sweepEveryMs: number;
  /** How long a message waits after its second crash; doubles with each further one. Milliseconds. */
  readonly crashDelayMs: number;
  /** How long a process that cannot be seen from here may be silent. Milliseconds. */
  readonly silenceMs: number;
  /** How often a process that is not alone gives a sign of life. Milliseconds. */
  readonly beatEveryMs: number;
}

/** The last new sign of life of a session that cannot be seen, by our monotonic clock. */
interface Sign {
  readonly beat: number;
  readonly since: number;
}

/** The delay doubles this often at most: to 36 hours from one second. */
const mostDoublings = 17;

/** Finds sessions whose process is gone and gives back what they held. Every broker does it; the first one wins. */
export class Recovery {
  readonly #options: RecoveryOptions;
  /** Of those that cannot be seen. */
  #signs: ReadonlyMap<number, Sign> = new Map();
  #timer: Timer | undefined;
  #sweeping: Promise<void> | undefined;
  #sweptAt = -Infinity;
  #beatenAt = -Infinity;
  #stopped = false;

  constructor(options: RecoveryOptions) {
    this.#options = options;
  }

  /** Looks once, and from then on regularly. */
  async start(): Promise<void> {
    await this.#sweep();
    await this.#giveBackStrays();
    this.#schedule();
  }

  /** Ends looking. Resolves when nothing is under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#sweeping;
  }

  #schedule(): void {
    if (this.#stopped) return;
    this.#timer = this.#options.clock.setTimer(this.#options.sweepEveryMs, () => {
      this.#sweeping = this.#sweep()
        .catch((error: unknown) => {
          // Perhaps nobody could write: then the others could not give a sign of life, either.
          this.#signs = new Map();
          this.#options.logger.warn({ err: error }, "looking for dead processes failed; trying again");
        })
        .finally(() => this.#schedule());
    });
  }

  async #sweep(): Promise<void> {
    const { connection, session, liveness } = this.#options;
    const own = session.id;
    const sessions = await connection.read(() => connection.all<SessionRow>(`SELECT ${sessionColumns} FROM session`));
    if (own === session.id && !sessions.some(({ id }) => id === own)) await session.rejoin();
    const others = sessions.filter(({ id }) => id !== own);
    const lives = others.map((row) => liveness.check(identityOf(row)));
    const hidden = others.filter((_, index) => lives[index] === "unknown");
    const silent = this.#silent(hidden);
    const dead = others.filter((row, index) => lives[index] === "dead" || silent.includes(row));
    for (const { id } of dead) await this.#recover(id);
    // Whom we can see may not see us: `/proc` can be hidden from one alone.
    if (others.length > 0) await this.#beat();
  }

  /** Those that have given no sign of life for too long. */
  #silent(hidden: readonly SessionRow[]): readonly SessionRow[] {
    const { clock, silenceMs } = this.#options;
    const now = clock.monotonic();
    // Who did not look for a while, because the machine or this process stood still, cannot say who else was silent.
    const wasAway = now - this.#sweptAt > silenceMs / 2;
    this.#sweptAt = now;
    const earlier = wasAway ? new Map<number, Sign>() : this.#signs;
    this.#signs = new Map(
      hidden.map(({ id, beat }) => {
        const sign = earlier.get(id);
        return [id, sign?.beat === beat ? sign : { beat, since: now }];
      }),
    );
    return hidden.filter(({ id }) => now - (this.#signs.get(id)?.since ?? now) > silenceMs);
  }

  async #beat(): Promise<void> {
    const { connection, commits, session, clock, beatEveryMs } = this.#options;
    if (clock.monotonic() - this.#beatenAt < beatEveryMs) return;
    this.#beatenAt = clock.monotonic();
    await commits.write(() => connection.run("UPDATE session SET beat = beat + 1 WHERE id = ?", session.id));
  }

  async #recover(id: number): Promise<void> {
    const { commits, logger } = this.#options;
    const messages = await commits.write(() => this.#giveBack(id), { rings: true, weight: 100 });
    if (messages !== undefined) logger.warn({ session: id, messages }, "a process died; what it held goes to others");
  }

  /** Messages of nobody: only a file that somebody edited has them. */
  async #giveBackStrays(): Promise<void> {
    const { connection, commits } = this.#options;
    const strays =
      "FROM message INDEXED BY message_in_flight WHERE state = 2 AND (owner IS NULL OR owner NOT IN (SELECT id FROM session))";
    const found = await connection.read(() => connection.get(`SELECT 1 ${strays} LIMIT 1`));
    if (found === undefined) return;
    await commits.write(
      () => connection.run(`UPDATE message SET state = 0, owner = NULL WHERE seq IN (SELECT seq ${strays})`),
      { rings: true },
    );
  }

  /** How many messages it held, or `undefined` when somebody else was faster. */
  #giveBack(id: number): number | undefined {
    const { connection, clock, crashDelayMs } = this.#options;
    if (connection.run("DELETE FROM session WHERE id = ?", id) === 0) return undefined;
    connection.run("DELETE FROM consumer WHERE session_id = ?", id);
    connection.run("DELETE FROM lease WHERE session_id = ?", id);
    // The first death counts for all that was held. From then on only what was started counts, and it waits longer each time, so that
    // a message that kills its workers does not take down one after the other.
    return connection.run(
      `UPDATE message INDEXED BY message_in_flight SET
         crashes = crashes + (crashes = 0 OR started = 1),
         state = (crashes > 0 AND started = 1),
         due_at = CASE WHEN crashes > 0 AND started = 1 THEN ? + (? << min(crashes - 1, ?)) ELSE due_at END,
         owner = NULL,
         started = 0
       WHERE owner = ? AND state = 2`,
      clock.now() + 1,
      crashDelayMs,
      mostDoublings,
      id,
    );
  }
}
