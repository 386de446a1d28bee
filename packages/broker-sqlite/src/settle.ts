import type { Outcome, Settled } from "@q/core/broker";
import { messageState } from "./schema.ts";
import type { Store } from "./store.ts";

/** A message as its holder knows it. The fence is of one claim: with any other number the row is somebody else's. */
export interface Hold {
  readonly seq: number;
  readonly fence: number;
}

/** Ends a hold in one transaction. */
export function settle(store: Store, hold: Hold, outcome: Outcome): Promise<Settled> {
  const { commits } = store;
  switch (outcome.kind) {
    case "ack":
      return commits.write(() => ack(store, hold), { mustHappen: true });
    case "release":
      return commits.write(() => release(store, hold), { mustHappen: true, rings: true });
    case "requeue": {
      const { delayMs, headers } = outcome;
      const text = headers === undefined ? null : JSON.stringify(headers);
      return commits.write(() => requeue(store, hold, { delayMs, headers: text }), { mustHappen: true, rings: true });
    }
    case "bury": {
      const reason = JSON.stringify(outcome.reason);
      return commits.write(() => bury(store, hold, reason), { mustHappen: true });
    }
  }
}

/** Marks that a suspect is about to run, so that a crash from here on counts. */
export function markStarted({ commits, connection }: Store, { seq, fence }: Hold): Promise<Settled> {
  return commits.write(() =>
    answer(connection.run("UPDATE message SET started = 1 WHERE seq = ? AND fence = ? AND state = 2", seq, fence)),
  );
}

function ack({ connection }: Store, { seq, fence }: Hold): Settled {
  return answer(connection.run("DELETE FROM message WHERE seq = ? AND fence = ? AND state = 2", seq, fence));
}

/** Its position is as it was, and with it its place. */
function release({ connection }: Store, { seq, fence }: Hold): Settled {
  return answer(
    connection.run(
      "UPDATE message SET state = 0, owner = NULL, started = 0 WHERE seq = ? AND fence = ? AND state = 2",
      seq,
      fence,
    ),
  );
}

function requeue(
  { connection, sequence, clock }: Store,
  { seq, fence }: Hold,
  { delayMs, headers }: { readonly delayMs: number; readonly headers: string | null },
): Settled {
  const { state, dueAt } = dueIn(delayMs, clock.now());
  return answer(
    connection.run(
      `UPDATE message SET state = ?, position = ?, due_at = ?, owner = NULL, started = 0, crashes = 0, headers = coalesce(?, headers)
       WHERE seq = ? AND fence = ? AND state = 2`,
      state,
      sequence.take(),
      dueAt,
      headers,
      seq,
      fence,
    ),
  );
}

/** The row moves column by column, so that what is malformed stays as it was found. */
function bury(store: Store, hold: Hold, reason: string): Settled {
  const { connection, sequence, clock } = store;
  const { seq, fence } = hold;
  const buried = connection.run(
    `INSERT INTO dead (entry, queue_id, priority, id, headers, properties, body, reason, died_at)
     SELECT ?, queue_id, priority, id, headers, properties, body, ?, ? FROM message WHERE seq = ? AND fence = ? AND state = 2`,
    sequence.take(),
    reason,
    clock.now(),
    seq,
    fence,
  );
  return buried === 0 ? "lost" : ack(store, hold);
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
