import type { Claim } from "@q/core/broker";
import { SqliteDelivery } from "./delivery.ts";
import { decodeMessage, messageColumns, type MessageRow } from "./stored-message.ts";
import type { Store } from "./store.ts";
import { takeInTurns } from "./turns.ts";

/** Delayed messages that one claim makes ready at most. A claim must stay short, and the next one comes at once. */
const promotedAtOnce = 200;

const look = `SELECT paused, last_position AS lastPosition,
    EXISTS (SELECT 1 FROM message INDEXED BY message_ready WHERE queue_id = queue.id AND state = 0) AS ready,
    (SELECT due_at FROM message INDEXED BY message_delayed WHERE queue_id = queue.id AND state = 1 ORDER BY due_at LIMIT 1) AS nextDueAt
  FROM queue WHERE id = ?`;

const promote = `UPDATE message SET state = 0, position = ? + due.number
  FROM (
    SELECT seq, row_number() OVER (ORDER BY due_at, seq) AS number FROM message INDEXED BY message_delayed
    WHERE queue_id = ? AND state = 1 AND due_at <= ? ORDER BY due_at, seq LIMIT ?
  ) AS due
  WHERE message.seq = due.seq`;

const head = `FROM message INDEXED BY message_ready WHERE queue_id = ? AND state = 0 ORDER BY rank, position, seq LIMIT ?`;
/** What `take` takes, in order, which its own RETURNING would not promise. */
const see = `SELECT seq, crashes, ${messageColumns} ${head}`;
const take = `UPDATE message SET state = 2, owner = ?, fence = ? WHERE seq IN (SELECT seq ${head})`;

interface QueueLook {
  readonly paused: 0 | 1;
  readonly lastPosition: number;
  readonly ready: 0 | 1;
  readonly nextDueAt: number | null;
}

interface ClaimedRow extends MessageRow {
  readonly seq: number;
  readonly crashes: number;
}

/** What one turn of a queue brought. */
interface Taken {
  readonly queue: string;
  readonly rows: readonly ClaimedRow[];
}

interface Claimed {
  readonly taken: readonly Taken[];
  readonly fence: number;
  readonly nextDueAt: number | undefined;
}

/** A queue that is consumed; one that is named twice stands here twice. */
export interface Turn {
  readonly queueId: number;
  readonly queue: string;
}

/** Takes messages for one consumer. */
export class Claimer {
  readonly #store: Store;
  readonly #turns: readonly Turn[];
  readonly #queueIds: readonly number[];
  /** Whose turn is first in the next claim. */
  #first = 0;
  /** The last claim left nothing behind, so the next one looks before it takes the lock. */
  #looksFirst = true;

  constructor(store: Store, turns: readonly Turn[]) {
    this.#store = store;
    this.#turns = turns;
    this.#queueIds = [...new Set(turns.map(({ queueId }) => queueId))];
  }

  /** At most `max` messages, and when the next one is due. Takes the write lock only when there is something to take. */
  async claim(max: number): Promise<Claim> {
    const { commits, session, clock } = this.#store;
    if (this.#looksFirst) {
      const nextDueAt = this.#nextDueAt();
      if (nextDueAt === undefined || nextDueAt > clock.now())
        return { deliveries: [], nextDueMs: this.#msUntil(nextDueAt) };
    }
    const claimed = await commits.write(() => this.#take(max), { weight: max });
    if (claimed === "not listed") {
      await session.rejoin();
      return this.claim(max);
    }
    const deliveries = this.#deliveries(claimed);
    // Those whose turn it was once more than the others come last next time.
    this.#first = (this.#first + deliveries.length) % this.#turns.length;
    this.#looksFirst = deliveries.length < max;
    return { deliveries, nextDueMs: this.#msUntil(claimed.nextDueAt) };
  }

  /** When a message can be delivered: 0 is now, `undefined` is never as far as one can see. */
  #nextDueAt(): number | undefined {
    const { connection } = this.#store;
    const looks = this.#queueIds.map((id) => connection.get<QueueLook>(look, id));
    const times = looks.map((queue) =>
      queue === undefined || queue.paused === 1 ? null : queue.ready === 1 ? 0 : queue.nextDueAt,
    );
    return earliest(times);
  }

  #msUntil(dueAt: number | undefined): number | undefined {
    return dueAt === undefined ? undefined : Math.max(1, dueAt - this.#store.clock.now());
  }

  /** Only inside a transaction. */
  #take(max: number): Claimed | "not listed" {
    const { session, sequence } = this.#store;
    if (!session.isListed()) return "not listed";
    const fence = sequence.take();
    const dueTimes = new Map(this.#queueIds.map((id) => [id, this.#open(id)]));
    const taken: Taken[] = [];
    const inTurn = [...this.#turns.slice(this.#first), ...this.#turns.slice(0, this.#first)];
    const open = inTurn.filter(({ queueId }) => dueTimes.get(queueId) !== "paused");
    takeInTurns(open, max, ({ queueId, queue }, limit) => {
      const rows = this.#takeFrom(queueId, { fence, limit });
      taken.push({ queue, rows });
      return rows.length;
    });
    return {
      taken,
      fence,
      nextDueAt: earliest([...dueTimes.values()].map((time) => (time === "paused" ? null : time))),
    };
  }

  /** Makes ready what is due; answers when the next one is. */
  #open(queueId: number): number | null | "paused" {
    const { connection, clock } = this.#store;
    const now = clock.now();
    const before = connection.get<QueueLook>(look, queueId);
    if (before === undefined || before.paused === 1) return "paused";
    if (before.nextDueAt === null || before.nextDueAt > now) return before.nextDueAt;
    connection.run(promote, before.lastPosition, queueId, now, promotedAtOnce);
    return connection.get<QueueLook>(look, queueId)?.nextDueAt ?? null;
  }

  #takeFrom(queueId: number, { fence, limit }: { readonly fence: number; readonly limit: number }): ClaimedRow[] {
    const { connection, session } = this.#store;
    const rows = connection.all<ClaimedRow>(see, queueId, limit);
    if (rows.length > 0) connection.run(take, session.id, fence, queueId, limit);
    return rows;
  }

  #deliveries({ taken, fence }: Claimed): SqliteDelivery[] {
    const deliveryOf = (row: ClaimedRow, queue: string): SqliteDelivery => {
      const message = decodeMessage(row, queue, { table: "message", seq: row.seq }, this.#store.connection);
      return new SqliteDelivery(this.#store, { seq: row.seq, fence }, message, row.crashes);
    };
    return taken.flatMap(({ queue, rows }) => rows.map((row) => deliveryOf(row, queue)));
  }
}

function earliest(times: readonly (number | null)[]): number | undefined {
  const known = times.filter((time) => time !== null);
  return known.length === 0 ? undefined : Math.min(...known);
}
