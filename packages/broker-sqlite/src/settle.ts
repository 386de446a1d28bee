import type { Clock, Outcome, Settled } from "@q/core/broker";
import type { Connection } from "./connection.ts";
import type { GroupCommit } from "./group-commit.ts";
import { messageState } from "./schema.ts";
import type { Sequence } from "./sequence.ts";

/** A message as its holder knows it. The fence is of one claim: with any other number the row is somebody else's. */
export interface Hold {
  readonly seq: number;
  readonly fence: number;
}

export interface SettlerOptions {
  readonly connection: Connection;
  readonly commits: GroupCommit;
  readonly sequence: Sequence;
  readonly clock: Clock;
}

const acknowledge = `DELETE FROM message WHERE seq IN (SELECT value FROM json_each(?)) AND fence = ? AND state = 2 RETURNING seq`;

/** Ends holds, each in one transaction. */
export class Settler {
  readonly #options: SettlerOptions;

  constructor(options: SettlerOptions) {
    this.#options = options;
  }

  settle(hold: Hold, outcome: Outcome): Promise<Settled> {
    const { commits } = this.#options;
    switch (outcome.kind) {
      case "ack":
        return commits.writeTogether(this.#ack, hold, { mustHappen: true });
      case "release":
        return commits.write(() => this.#release(hold), { mustHappen: true, rings: true });
      case "requeue": {
        const { delayMs, headers } = outcome;
        const text = headers === undefined ? null : JSON.stringify(headers);
        return commits.write(() => this.#requeue(hold, { delayMs, headers: text }), { mustHappen: true, rings: true });
      }
      case "bury": {
        const reason = JSON.stringify(outcome.reason);
        return commits.write(() => this.#bury(hold, reason), { mustHappen: true });
      }
    }
  }

  /** Marks that a suspect is about to run, so that a crash from here on counts. */
  start({ seq, fence }: Hold): Promise<Settled> {
    const { commits, connection } = this.#options;
    return commits.write(() =>
      answer(connection.run("UPDATE message SET started = 1 WHERE seq = ? AND fence = ? AND state = 2", seq, fence)),
    );
  }

  /** Half the cost of one row each. Messages of one claim have one fence, so there are few statements. */
  readonly #ack = (holds: readonly Hold[]): Settled[] => {
    const seqsByFence = new Map<number, number[]>();
    for (const { seq, fence } of holds) {
      const seqs = seqsByFence.get(fence);
      if (seqs === undefined) seqsByFence.set(fence, [seq]);
      else seqs.push(seq);
    }
    const goneByFence = new Map<number, ReadonlySet<number>>();
    for (const [fence, seqs] of seqsByFence) {
      const gone = this.#options.connection.all<{ seq: number }>(acknowledge, JSON.stringify(seqs), fence);
      goneByFence.set(fence, new Set(gone.map(({ seq }) => seq)));
    }
    return holds.map(({ seq, fence }) => (goneByFence.get(fence)?.has(seq) === true ? "settled" : "lost"));
  };

  /** Its position is as it was, and with it its place. */
  #release({ seq, fence }: Hold): Settled {
    return answer(
      this.#options.connection.run(
        "UPDATE message SET state = 0, owner = NULL, started = 0 WHERE seq = ? AND fence = ? AND state = 2",
        seq,
        fence,
      ),
    );
  }

  #requeue(
    { seq, fence }: Hold,
    { delayMs, headers }: { readonly delayMs: number; readonly headers: string | null },
  ): Settled {
    const { connection, clock } = this.#options;
    const { state, dueAt } = dueIn(delayMs, clock.now());
    return answer(
      connection.run(
        `UPDATE message SET state = ?, position = (SELECT last_position + 1 FROM queue WHERE queue.id = queue_id), due_at = ?,
           owner = NULL, started = 0, crashes = 0, headers = coalesce(?, headers)
         WHERE seq = ? AND fence = ? AND state = 2`,
        state,
        dueAt,
        headers,
        seq,
        fence,
      ),
    );
  }

  /** The row moves column by column, so that what is malformed stays as it was found. */
  #bury(hold: Hold, reason: string): Settled {
    const { connection, sequence, clock } = this.#options;
    const { seq, fence } = hold;
    connection.run(
      `INSERT INTO dead (entry, queue_id, priority, id, headers, properties, body, reason, died_at)
       SELECT ?, queue_id, priority, id, headers, properties, body, ?, ? FROM message WHERE seq = ? AND fence = ? AND state = 2`,
      sequence.take(),
      reason,
      clock.now(),
      seq,
      fence,
    );
    return this.#ack([hold])[0] ?? "lost";
  }
}

function answer(changedRows: number): Settled {
  return changedRows === 0 ? "lost" : "settled";
}

/** State and time of a message that is to come after so many milliseconds, on a clock that only shows whole ones. */
export function dueIn(delayMs: number, now: number): { readonly state: 0 | 1; readonly dueAt: number } {
  // One more, because the clock's current millisecond may be almost over.
  return delayMs > 0
    ? { state: messageState.delayed, dueAt: now + Math.ceil(delayMs) + 1 }
    : { state: messageState.ready, dueAt: now };
}
