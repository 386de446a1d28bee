import {
  readStoredEntry,
  tickToleranceMs,
  type JsonObject,
  type ScheduleStore,
  type StoredSchedule,
  type Tick,
  type TickAnswer,
} from "@q/core/broker";
import { insertMessages } from "./insert-messages.ts";
import { publishError } from "./publisher.ts";
import type { Store } from "./store.ts";
import { encodeMessage } from "./stored-message.ts";

interface ScheduleRow {
  readonly last_tick: number | null;
  readonly paused: 0 | 1;
  readonly entry: string | null;
}

const columns = "last_tick, paused, entry";
const make = "INSERT OR IGNORE INTO schedule (name) VALUES (?)";

/** Schedules as rows. A tick and its message are one transaction. The clock is the machine's, which all processes of a file share. */
export class SqliteScheduleStore implements ScheduleStore {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  async now(): Promise<number> {
    return this.#store.clock.now();
  }

  async list(): Promise<readonly StoredSchedule[]> {
    const { connection } = this.#store;
    const rows = await connection.read(() =>
      connection.all<ScheduleRow & { readonly name: string }>(`SELECT name, ${columns} FROM schedule`),
    );
    return rows
      .map(({ name, last_tick, paused, entry }) => ({
        name,
        lastTick: last_tick,
        paused: paused === 1,
        entry: readStoredEntry(entry),
      }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  async begin({ name, at }: Pick<Tick, "name" | "at" | "queue">): Promise<void> {
    await this.#change(name, "UPDATE schedule SET last_tick = ? WHERE name = ? AND last_tick IS NULL", at);
  }

  async fire({ name, at, message, isStored }: Tick): Promise<TickAnswer> {
    const { connection, commits, clock } = this.#store;
    const encoded = message === null ? [] : [encodeMessage(message)];
    const record = (): TickAnswer => {
      const row = connection.get<ScheduleRow>(`SELECT ${columns} FROM schedule WHERE name = ?`, name);
      if (isStored && (row === undefined || row.entry === null)) return "gone";
      if (row?.paused === 1) return "paused";
      if (row !== undefined && row.last_tick !== null && row.last_tick >= at) return "already";
      if (at > clock.now() + tickToleranceMs) return "early";
      insertMessages(this.#store, encoded);
      connection.run(make, name);
      connection.run("UPDATE schedule SET last_tick = ? WHERE name = ?", at, name);
      return "fired";
    };
    try {
      return await commits.write(record, { durable: true, adds: true, rings: message !== null });
    } catch (error) {
      throw publishError(error);
    }
  }

  async put(name: string, entry: JsonObject): Promise<void> {
    await this.#change(name, "UPDATE schedule SET entry = ? WHERE name = ?", JSON.stringify(entry));
  }

  async remove(name: string): Promise<boolean> {
    const { connection, commits } = this.#store;
    return await commits.write(() => connection.run("DELETE FROM schedule WHERE name = ?", name) > 0, {
      durable: true,
    });
  }

  async setPaused(name: string, paused: boolean): Promise<void> {
    await this.#change(name, "UPDATE schedule SET paused = ? WHERE name = ?", Number(paused));
  }

  /** Changes one column of a row, made if need be. */
  async #change(name: string, update: string, value: number | string): Promise<void> {
    const { connection, commits } = this.#store;
    const change = (): void => {
      connection.run(make, name);
      connection.run(update, value, name);
    };
    await commits.write(change, { durable: true, adds: true });
  }
}
