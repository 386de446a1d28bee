import type { Liveness, ProcessIdentity } from "@q/core/broker";
import type { Connection } from "./connection.ts";
import type { GroupCommit } from "./group-commit.ts";
import type { Sequence } from "./sequence.ts";

export interface SessionOptions {
  readonly connection: Connection;
  readonly commits: GroupCommit;
  readonly sequence: Sequence;
  readonly liveness: Liveness;
}

export interface SessionRow {
  readonly id: number;
  readonly pid: number;
  readonly process_started: string | null;
  readonly boot_id: string | null;
  readonly pid_namespace: string | null;
  readonly beat: number;
}

/** Selects a `SessionRow`. */
export const sessionColumns = "id, pid, process_started, boot_id, pid_namespace, beat";

/**
 * This opening of the file, as the other ones see it: one row that says which process it belongs to. What this broker holds is marked with
 * the row's id; when the process is gone, somebody else deletes the row and gives back what it held, in one transaction.
 */
export class Session {
  readonly #options: SessionOptions;
  /** By queue id, how many of our consumers it has. */
  readonly #consumers = new Map<number, number>();
  #id = 0;
  #joining: Promise<void> | undefined;
  #lost = new AbortController();

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  get id(): number {
    return this.#id;
  }

  /** Of what is handed out now: aborts when it is not ours any more. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Tells all that is held that it is not ours any more. */
  loseHeld(): void {
    this.#lost.abort();
    this.#lost = new AbortController();
  }

  /** Whether the row is still there. Who claims asks inside the same transaction, or nobody would ever give the message back. */
  isListed(): boolean {
    return this.#options.connection.get("SELECT 1 FROM session WHERE id = ?", this.#id) !== undefined;
  }

  /** Whether an opening is still listed, and its process is seen to live. */
  isAlive(id: number): boolean {
    const { connection, liveness } = this.#options;
    const row = connection.get<SessionRow>(`SELECT ${sessionColumns} FROM session WHERE id = ?`, id);
    return row !== undefined && liveness.check(identityOf(row)) === "alive";
  }

  /** Adds a row, with a new id. What an earlier row of ours still holds goes back: nobody here would settle it. */
  async join(): Promise<void> {
    const { connection, commits, sequence, liveness } = this.#options;
    const { pid, startedAt, bootId, pidNamespace } = liveness.own;
    const earlier = this.#id;
    this.#id = await commits.write(
      () => {
        this.#strike(earlier);
        const id = sequence.take();
        connection.run(
          "INSERT INTO session (id, pid, process_started, boot_id, pid_namespace) VALUES (?, ?, ?, ?, ?)",
          id,
          pid,
          startedAt,
          bootId,
          pidNamespace,
        );
        this.#listConsumers(id);
        return id;
      },
      { rings: earlier !== 0 },
    );
  }

  /** Somebody took this process for dead: what it held is with others now. Starts over under a new id. */
  rejoin(): Promise<void> {
    this.#joining ??= (async () => {
      try {
        this.loseHeld();
        await this.join();
      } finally {
        this.#joining = undefined;
      }
    })();
    return this.#joining;
  }

  /** Says that queues are being consumed; answers how to take it back. A queue may be named more than once. */
  async consume(queueIds: readonly number[]): Promise<() => Promise<void>> {
    const { commits } = this.#options;
    const list = (): void => this.#listConsumers(this.#id);
    this.#count(queueIds, 1);
    try {
      await commits.write(list);
    } catch (error) {
      this.#count(queueIds, -1);
      throw error;
    }
    return async () => {
      this.#count(queueIds, -1);
      await commits.write(list);
    };
  }

  /** Gives back what is held, in its old place and uncounted, and removes the row. */
  async leave(): Promise<void> {
    const id = this.#id;
    await this.#options.commits.write(() => this.#strike(id), { rings: true, mustHappen: true });
    this.loseHeld();
  }

  /** Only inside a transaction. */
  #strike(id: number): void {
    const { connection } = this.#options;
    connection.run(
      "UPDATE message INDEXED BY message_in_flight SET state = 0, owner = NULL, started = 0 WHERE owner = ? AND state = 2",
      id,
    );
    connection.run("DELETE FROM consumer WHERE session_id = ?", id);
    connection.run("DELETE FROM lease WHERE session_id = ?", id);
    connection.run("DELETE FROM session WHERE id = ?", id);
  }

  #count(queueIds: readonly number[], by: 1 | -1): void {
    for (const id of queueIds) this.#consumers.set(id, (this.#consumers.get(id) ?? 0) + by);
  }

  #listConsumers(sessionId: number): void {
    const { connection } = this.#options;
    connection.run("DELETE FROM consumer WHERE session_id = ?", sessionId);
    for (const [queueId, count] of this.#consumers) {
      if (count > 0) connection.run("INSERT INTO consumer (session_id, queue_id) VALUES (?, ?)", sessionId, queueId);
    }
  }
}

export function identityOf(row: SessionRow): ProcessIdentity {
  return { pid: row.pid, startedAt: row.process_started, bootId: row.boot_id, pidNamespace: row.pid_namespace };
}
