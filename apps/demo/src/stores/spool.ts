import { openDatabase } from "./database.ts";
import type { Database } from "./database.ts";

/** An event as it was accepted. */
export interface SpooledEvent {
  /** The body as the client sent it. */
  readonly payload: string;
  /** Epoch milliseconds. */
  readonly acceptedAt: number;
}

/**
 * Where an event waits between the request and its task, so that the message carries only the id.
 * It is a file of its own: the service can accept events while the event database is away.
 */
export class Spool {
  readonly #file: string;
  #opened: Promise<Database> | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  /** Stores an event. One that waits already stays as it is: clients send again what they had no answer for. */
  async add(eventId: string, payload: string, acceptedAt: number): Promise<void> {
    const database = await this.#database();
    database.run("INSERT INTO spool VALUES (?, ?, ?) ON CONFLICT DO NOTHING", eventId, payload, acceptedAt);
  }

  async read(eventId: string): Promise<SpooledEvent | undefined> {
    const database = await this.#database();
    const row = database.get("SELECT payload, accepted_at FROM spool WHERE event_id = ?", eventId);
    return row && { payload: String(row["payload"]), acceptedAt: Number(row["accepted_at"]) };
  }

  /** Deletes an event; one that is not there is no error. */
  async remove(eventId: string): Promise<void> {
    const database = await this.#database();
    database.run("DELETE FROM spool WHERE event_id = ?", eventId);
  }

  /** The ids of all that wait. */
  async ids(): Promise<readonly string[]> {
    const database = await this.#database();
    return database.all("SELECT event_id FROM spool").map((row) => String(row["event_id"]));
  }

  async close(): Promise<void> {
    (await this.#opened)?.close();
    this.#opened = undefined;
  }

  #database(): Promise<Database> {
    this.#opened ??= this.#open();
    return this.#opened;
  }

  async #open(): Promise<Database> {
    const database = await openDatabase(this.#file, { patienceMs: 2000 });
    database.exec(
      "CREATE TABLE IF NOT EXISTS spool (event_id TEXT PRIMARY KEY, payload TEXT NOT NULL, accepted_at REAL NOT NULL) STRICT",
    );
    return database;
  }
}
