import { RowMissing } from "./database-error.ts";
import { openDatabase } from "./database.ts";
import type { Database } from "./database.ts";

/** One event, ready to be saved. */
export interface EventRow {
  readonly eventId: string;
  readonly project: string;
  readonly fingerprint: string;
  readonly title: string;
  readonly culprit: string;
  readonly client: string;
  readonly level: string;
  readonly payload: string;
  /** Epoch milliseconds at which the service took it. */
  readonly acceptedAt: number;
}

/** Which handing-out of which message saves it. Kept as evidence that a message which came twice was counted once. */
export interface DeliveryFacts {
  readonly messageId: string;
  readonly retries: number;
  readonly crashes: number;
}

/** Events of one fault. */
export interface EventGroup {
  readonly project: string;
  readonly fingerprint: string;
  readonly title: string;
  readonly culprit: string;
  readonly count: number;
}

/** An event that has been saved, without its body. */
export interface SavedEvent {
  readonly eventId: string;
  readonly project: string;
  readonly fingerprint: string;
  /** Epoch milliseconds. */
  readonly acceptedAt: number;
  /** Epoch milliseconds. */
  readonly savedAt: number;
}

/** A saved delivery, as the check at the end reads it. */
export interface SavedDelivery extends DeliveryFacts {
  readonly eventId: string;
  /** Whether this delivery is the one that counted. */
  readonly counted: boolean;
}

/** One delivery of a tick that deleted old events, as the check at the end reads it. */
export interface Expiry extends DeliveryFacts {
  /** How many it deleted. */
  readonly expired: number;
}

const schema = `
  CREATE TABLE IF NOT EXISTS projects (name TEXT PRIMARY KEY) STRICT;
  CREATE TABLE IF NOT EXISTS events (
    event_id TEXT PRIMARY KEY, project TEXT NOT NULL, fingerprint TEXT NOT NULL, client TEXT NOT NULL, level TEXT NOT NULL,
    payload TEXT NOT NULL, accepted_at REAL NOT NULL, saved_at REAL NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS groups (
    project TEXT NOT NULL, fingerprint TEXT NOT NULL, title TEXT NOT NULL, culprit TEXT NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY (project, fingerprint)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS deliveries (
    message_id TEXT NOT NULL, event_id TEXT NOT NULL, retries INTEGER NOT NULL, crashes INTEGER NOT NULL, counted INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS events_by_age ON events (accepted_at);
  CREATE TABLE IF NOT EXISTS expiries (
    message_id TEXT NOT NULL, retries INTEGER NOT NULL, crashes INTEGER NOT NULL, expired INTEGER NOT NULL
  ) STRICT;
`;

/** The event database. A writer waits 50 ms for another one's lock; then it is `DatabaseUnavailable`, and the task is retried. */
export class EventStore {
  readonly #file: string;
  #opened: Promise<Database> | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  /** Makes the tables and projects. */
  async create(projects: readonly string[]): Promise<void> {
    const database = await this.#database();
    database.exec(schema);
    for (const project of projects) database.run("INSERT INTO projects VALUES (?) ON CONFLICT DO NOTHING", project);
  }

  /**
   * Saves an event and counts it in its group, as one transaction. At-least-once delivery makes this run twice for some events;
   * the primary key makes the second time find the first, so the effect happens exactly once.
   * @returns whether this call was the first
   * @throws RowMissing when the project does not exist; DatabaseUnavailable, SchemaError
   */
  async save(event: EventRow, delivery: DeliveryFacts): Promise<boolean> {
    const database = await this.#database();
    return database.transaction(() => {
      if (database.get("SELECT 1 FROM projects WHERE name = ?", event.project) === undefined) {
        throw new RowMissing(`no project named ${JSON.stringify(event.project)}`);
      }
      const isFirst = insertEvent(database, event);
      if (isFirst) countInGroup(database, event);
      recordDelivery(database, event.eventId, delivery, isFirst);
      return isFirst;
    });
  }

  /** Whether the event has been saved; if so, notes that this delivery came for nothing. */
  async sawAgain(eventId: string, delivery: DeliveryFacts): Promise<boolean> {
    const database = await this.#database();
    if (database.get("SELECT 1 FROM events WHERE event_id = ?", eventId) === undefined) return false;
    recordDelivery(database, eventId, delivery, false);
    return true;
  }

  /**
   * Deletes the oldest events, and takes them out of their groups, as one transaction.
   * @throws DatabaseUnavailable, SchemaError
   */
  async expire(
    { acceptedBefore, most }: { readonly acceptedBefore: number; readonly most: number },
    { messageId, retries, crashes }: DeliveryFacts,
  ): Promise<void> {
    const database = await this.#database();
    database.transaction(() => {
      const old = database.all(
        "SELECT event_id, project, fingerprint FROM events WHERE accepted_at < ? ORDER BY accepted_at LIMIT ?",
        acceptedBefore,
        most,
      );
      for (const { event_id: id = "", project = "", fingerprint = "" } of old) {
        database.run("DELETE FROM events WHERE event_id = ?", id);
        database.run("DELETE FROM deliveries WHERE event_id = ?", id);
        database.run("UPDATE groups SET count = count - 1 WHERE project = ? AND fingerprint = ?", project, fingerprint);
      }
      database.run("DELETE FROM groups WHERE count = 0");
      database.run("INSERT INTO expiries VALUES (?, ?, ?, ?)", messageId, retries, crashes, old.length);
    });
  }

  /** Every delivery of a tick that ended well. */
  async expiries(): Promise<readonly Expiry[]> {
    const database = await this.#database();
    return database.all("SELECT * FROM expiries").map((row) => ({
      messageId: String(row["message_id"]),
      retries: Number(row["retries"]),
      crashes: Number(row["crashes"]),
      expired: Number(row["expired"]),
    }));
  }

  /** How many events have been saved. */
  async count(): Promise<number> {
    const database = await this.#database();
    return Number(database.get("SELECT count(*) AS n FROM events")?.["n"]);
  }

  /** The most frequent groups first. @param limit most to answer; -1 for all */
  async groups(limit: number): Promise<readonly EventGroup[]> {
    const database = await this.#database();
    return database.all("SELECT * FROM groups ORDER BY count DESC, title LIMIT ?", limit).map((row) => ({
      project: String(row["project"]),
      fingerprint: String(row["fingerprint"]),
      title: String(row["title"]),
      culprit: String(row["culprit"]),
      count: Number(row["count"]),
    }));
  }

  /** Every event, in no order. */
  async savedEvents(): Promise<readonly SavedEvent[]> {
    const database = await this.#database();
    return database.all("SELECT event_id, project, fingerprint, accepted_at, saved_at FROM events").map((row) => ({
      eventId: String(row["event_id"]),
      project: String(row["project"]),
      fingerprint: String(row["fingerprint"]),
      acceptedAt: Number(row["accepted_at"]),
      savedAt: Number(row["saved_at"]),
    }));
  }

  async deliveries(): Promise<readonly SavedDelivery[]> {
    const database = await this.#database();
    return database.all("SELECT * FROM deliveries").map((row) => ({
      messageId: String(row["message_id"]),
      eventId: String(row["event_id"]),
      retries: Number(row["retries"]),
      crashes: Number(row["crashes"]),
      counted: row["counted"] === 1,
    }));
  }

  /** Takes the write lock and keeps it: an outage for every other writer, until the returned function is called. */
  async takeWriteLock(): Promise<() => void> {
    const database = await openDatabase(this.#file, { patienceMs: 5000 });
    database.exec("BEGIN IMMEDIATE");
    return () => database.close();
  }

  async close(): Promise<void> {
    (await this.#opened)?.close();
    this.#opened = undefined;
  }

  #database(): Promise<Database> {
    this.#opened ??= openDatabase(this.#file, { patienceMs: 50 });
    return this.#opened;
  }
}

function insertEvent(database: Database, event: EventRow): boolean {
  const { eventId, project, fingerprint, client, level, payload, acceptedAt } = event;
  const inserted = database.get(
    "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING event_id",
    eventId,
    project,
    fingerprint,
    client,
    level,
    payload,
    acceptedAt,
    performance.timeOrigin + performance.now(),
  );
  return inserted !== undefined;
}

function countInGroup(database: Database, event: EventRow): void {
  database.run(
    "INSERT INTO groups VALUES (?, ?, ?, ?, 1) ON CONFLICT DO UPDATE SET count = count + 1",
    event.project,
    event.fingerprint,
    event.title,
    event.culprit,
  );
}

function recordDelivery(database: Database, eventId: string, delivery: DeliveryFacts, counted: boolean): void {
  const { messageId, retries, crashes } = delivery;
  database.run("INSERT INTO deliveries VALUES (?, ?, ?, ?, ?)", messageId, eventId, retries, crashes, counted ? 1 : 0);
}
