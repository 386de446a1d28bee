import type {
  DeadLetter,
  Liveness,
  Page,
  PageOptions,
  PeekedMessage,
  QueueInspector,
  QueueStats,
  Redrive,
  WaitingState,
} from "@q/core/broker";
import { dropDead, listDead, redriveDead } from "./dead-letters.ts";
import { peekQueue } from "./peek.ts";
import { identityOf, sessionColumns, type SessionRow } from "./session.ts";
import type { Store } from "./store.ts";

/** Rows of one step of a purge. */
const purgedAtOnce = 1000;

/** What is delayed and due counts as ready, though it only moves when a consumer claims. The counters are kept by triggers. */
const statsSql = `SELECT id, paused, ready, delayed, in_flight AS inFlight, dead,
    (SELECT count(*) FROM message INDEXED BY message_delayed WHERE queue_id = queue.id AND state = 1 AND due_at <= ?) AS due,
    min(
      coalesce((SELECT min((
        SELECT due_at FROM message INDEXED BY message_ready WHERE queue_id = queue.id AND state = 0 AND rank = ranks.column1
        ORDER BY position LIMIT 1
      )) FROM (VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)) AS ranks), ?),
      coalesce((
        SELECT due_at FROM message INDEXED BY message_delayed WHERE queue_id = queue.id AND state = 1 ORDER BY due_at LIMIT 1
      ), ?)
    ) AS readySince
  FROM queue WHERE name = ?`;

interface StatsRow {
  readonly id: number;
  readonly paused: 0 | 1;
  readonly ready: number;
  readonly delayed: number;
  readonly inFlight: number;
  readonly dead: number;
  readonly due: number;
  /** Not in the future. */
  readonly readySince: number;
}

/** What an operator sees and does. Every page is found by its place, so that it costs the same in a queue of millions. */
export class SqliteInspector implements QueueInspector {
  readonly #store: () => Store;
  readonly #liveness: Liveness;

  /** @param store throws while the broker is not open */
  constructor(store: () => Store, liveness: Liveness) {
    this.#store = store;
    this.#liveness = liveness;
  }

  async queues(): Promise<readonly string[]> {
    const { connection } = this.#store();
    const rows = await connection.read(() => connection.all<{ name: string }>("SELECT name FROM queue ORDER BY name"));
    return rows.map(({ name }) => name);
  }

  async stats(queue: string): Promise<QueueStats> {
    const { connection, clock } = this.#store();
    const now = clock.now();
    return connection.read(() => {
      const row = connection.get<StatsRow>(statsSql, now, now, now, queue);
      if (row === undefined)
        return { queue, ready: 0, delayed: 0, inFlight: 0, dead: 0, oldestReadyMs: 0, consumers: 0, paused: false };
      return {
        queue,
        ready: row.ready + row.due,
        delayed: row.delayed - row.due,
        inFlight: row.inFlight,
        dead: row.dead,
        oldestReadyMs: Math.max(0, now - row.readySince),
        consumers: this.#consumersOf(row.id),
        paused: row.paused === 1,
      };
    });
  }

  async peek(queue: string, state: WaitingState, options: PageOptions): Promise<Page<PeekedMessage>> {
    const store = this.#store();
    return store.connection.read(() => peekQueue(store, queue, { ...options, state }));
  }

  async purge(queue: string): Promise<number> {
    const { connection, commits, queues } = this.#store();
    const found = await connection.read(() => {
      const id = queues.find(queue)?.id;
      // What is sent from now on stays.
      return id === undefined ? undefined : { id, last: queues.lastPosition(id) };
    });
    if (found === undefined) return 0;
    const { id, last } = found;
    let purged = 0;
    for (const state of [0, 1]) {
      const sql = `DELETE FROM message WHERE seq IN (
        SELECT seq FROM message WHERE queue_id = ? AND state = ${state} AND position <= ? LIMIT ${purgedAtOnce})`;
      let deleted: number;
      do {
        deleted = await commits.write(() => connection.run(sql, id, last), { weight: purgedAtOnce, durable: true });
        purged += deleted;
      } while (deleted === purgedAtOnce);
    }
    return purged;
  }

  async pause(queue: string): Promise<void> {
    await this.#setPaused(queue, 1);
  }

  async resume(queue: string): Promise<void> {
    await this.#setPaused(queue, 0);
  }

  async deadLetters(queue: string, options: PageOptions): Promise<Page<DeadLetter>> {
    const store = this.#store();
    return store.connection.read(() => listDead(store, queue, options));
  }

  async redrive(queue: string, entries: readonly Redrive[]): Promise<number> {
    return redriveDead(this.#store(), queue, entries);
  }

  async drop(queue: string, entryIds: readonly string[]): Promise<number> {
    return dropDead(this.#store(), queue, entryIds);
  }

  async #setPaused(queue: string, paused: 0 | 1): Promise<void> {
    const { connection, commits, queues } = this.#store();
    await commits.write(
      () => connection.run("UPDATE queue SET paused = ? WHERE id = ?", paused, queues.findOrMake(queue).id),
      { durable: true, rings: true },
    );
  }

  #consumersOf(queueId: number): number {
    const sessions = this.#store().connection.all<SessionRow>(
      `SELECT ${sessionColumns} FROM session
       WHERE id IN (SELECT session_id FROM consumer WHERE queue_id = ?)`,
      queueId,
    );
    return sessions.filter((row) => this.#liveness.check(identityOf(row)) !== "dead").length;
  }
}
