/** Written into the header of each file of ours ("q.db" in ASCII), so that another program's database is never mistaken for a queue. */
export const applicationId = 0x712e6462;

/** States of a row of `message`, as the file has them. */
export const messageState = { ready: 0, delayed: 1, inFlight: 2 } as const;

/** Beyond 2^52 a position is nobody's of ours. It must not become the last one: the numbers behind it would be used up, and no send stored any more. */
const advanced = "iif(NEW.position < 4503599627370496, max(last_position, NEW.position), last_position)";

/**
 * Each step brings a file from the version before to the next; the number of steps is the newest version. A step that was released never changes.
 *
 * A message is one row and has one state, so that it cannot be in two places or in none:
 *
 * | state | meaning | index | to |
 * |---|---|---|---|
 * | 0 ready | could be delivered now | by queue, rank, position | in flight (claim) |
 * | 1 delayed | waits for `due_at` | by queue, due_at | ready (promoted by a claim, at the tail) |
 * | 2 in flight | held by the session `owner` | by owner | gone (ack), ready or delayed (requeue, release, recovery), `dead` (bury) |
 *
 * Lower ranks go first: `rank` is 9 less the priority where the queue has priorities, else 0. `position` gives the order within a rank; the
 * highest that a queue has given is its `last_position`, which stands beside the counters so that a send writes one page less.
 * Each claim draws a new `fence` from `sequence`, and whoever settles must know it; so a `seq` may be used again after its row is gone. Integers that
 * JavaScript cannot hold are refused, because reading one would make the driver throw. The columns of the message itself take any type:
 * a row that another program wrote wrongly is delivered as malformed rather than lost. The triggers keep the counters exact, whoever writes.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE sequence (value INTEGER NOT NULL) STRICT;
  INSERT INTO sequence VALUES (0);

  CREATE TABLE session (
    id INTEGER PRIMARY KEY,
    pid INTEGER NOT NULL,
    process_started TEXT,
    boot_id TEXT,
    pid_namespace TEXT,
    beat INTEGER NOT NULL DEFAULT 0
  ) STRICT;

  CREATE TABLE queue (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    priorities INTEGER,
    paused INTEGER NOT NULL DEFAULT 0,
    ready INTEGER NOT NULL DEFAULT 0,
    delayed INTEGER NOT NULL DEFAULT 0,
    in_flight INTEGER NOT NULL DEFAULT 0,
    dead INTEGER NOT NULL DEFAULT 0
  ) STRICT;

  CREATE TABLE consumer (
    session_id INTEGER NOT NULL,
    queue_id INTEGER NOT NULL,
    PRIMARY KEY (session_id, queue_id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE message (
    seq INTEGER PRIMARY KEY,
    queue_id INTEGER NOT NULL,
    state INTEGER NOT NULL DEFAULT 0,
    rank INTEGER NOT NULL DEFAULT 0,
    position INTEGER NOT NULL DEFAULT 0,
    due_at INTEGER NOT NULL DEFAULT 0,
    owner INTEGER,
    fence INTEGER NOT NULL DEFAULT 0,
    crashes INTEGER NOT NULL DEFAULT 0,
    started INTEGER NOT NULL DEFAULT 0,
    priority INTEGER NOT NULL DEFAULT 0,
    id ANY,
    headers ANY,
    properties ANY,
    body ANY,
    CHECK (state BETWEEN 0 AND 2 AND priority BETWEEN 0 AND 9
      AND min(seq, rank, position, due_at, fence, crashes) >= 0 AND max(seq, rank, position, due_at, fence, crashes) < 9007199254740992)
  ) STRICT;
  CREATE INDEX message_ready ON message (queue_id, rank, position) WHERE state = 0;
  CREATE INDEX message_delayed ON message (queue_id, due_at) WHERE state = 1;
  CREATE INDEX message_in_flight ON message (owner) WHERE state = 2;

  CREATE TRIGGER message_added AFTER INSERT ON message BEGIN
    UPDATE queue SET ready = ready + (NEW.state = 0), delayed = delayed + (NEW.state = 1), in_flight = in_flight + (NEW.state = 2)
    WHERE id = NEW.queue_id;
  END;
  CREATE TRIGGER message_moved AFTER UPDATE OF state ON message BEGIN
    UPDATE queue SET ready = ready + (NEW.state = 0) - (OLD.state = 0), delayed = delayed + (NEW.state = 1) - (OLD.state = 1),
      in_flight = in_flight + (NEW.state = 2) - (OLD.state = 2)
    WHERE id = NEW.queue_id;
  END;
  CREATE TRIGGER message_gone AFTER DELETE ON message BEGIN
    UPDATE queue SET ready = ready - (OLD.state = 0), delayed = delayed - (OLD.state = 1), in_flight = in_flight - (OLD.state = 2)
    WHERE id = OLD.queue_id;
  END;

  CREATE TABLE dead (
    entry INTEGER PRIMARY KEY,
    queue_id INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    id ANY,
    headers ANY,
    properties ANY,
    body ANY,
    reason TEXT NOT NULL,
    died_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX dead_newest ON dead (queue_id, entry);
  CREATE TRIGGER dead_added AFTER INSERT ON dead BEGIN
    UPDATE queue SET dead = dead + 1 WHERE id = NEW.queue_id;
  END;
  CREATE TRIGGER dead_gone AFTER DELETE ON dead BEGIN
    UPDATE queue SET dead = dead - 1 WHERE id = OLD.queue_id;
  END;

  CREATE TABLE once (
    queue_id INTEGER NOT NULL,
    key BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (queue_id, key)
  ) STRICT;
  CREATE INDEX once_expires ON once (expires_at);

  CREATE TABLE broadcast (
    seq INTEGER PRIMARY KEY,
    channel TEXT NOT NULL,
    payload TEXT NOT NULL
  ) STRICT;

  CREATE TABLE lease (
    name TEXT PRIMARY KEY,
    fence INTEGER NOT NULL,
    session_id INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE schedule (
    name TEXT PRIMARY KEY,
    last_tick INTEGER,
    paused INTEGER NOT NULL DEFAULT 0,
    entry TEXT,
    CHECK (last_tick BETWEEN 0 AND 9007199254740991)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  ALTER TABLE queue ADD COLUMN last_position INTEGER NOT NULL DEFAULT 0;
  UPDATE queue SET last_position = (SELECT value FROM sequence);
  DROP TRIGGER message_added;
  CREATE TRIGGER message_added AFTER INSERT ON message BEGIN
    UPDATE queue SET ready = ready + (NEW.state = 0), delayed = delayed + (NEW.state = 1), in_flight = in_flight + (NEW.state = 2),
      last_position = ${advanced}
    WHERE id = NEW.queue_id;
  END;
  DROP TRIGGER message_moved;
  CREATE TRIGGER message_moved AFTER UPDATE OF state ON message BEGIN
    UPDATE queue SET ready = ready + (NEW.state = 0) - (OLD.state = 0), delayed = delayed + (NEW.state = 1) - (OLD.state = 1),
      in_flight = in_flight + (NEW.state = 2) - (OLD.state = 2), last_position = ${advanced}
    WHERE id = NEW.queue_id;
  END;
  `,
];
