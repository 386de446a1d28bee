import type { BrokerMessage } from "../broker/broker-message.ts";
import {
  tickToleranceMs,
  type ScheduleStore,
  type StoredSchedule,
  type Tick,
  type TickAnswer,
} from "../broker/schedule-store.ts";
import type { Clock } from "../clock.ts";
import type { JsonObject } from "../json.ts";
import type { MemoryConnection } from "./memory-connection.ts";

interface ScheduleRecord {
  lastTick: number | null;
  paused: boolean;
  /** Text, so that nobody shares an object with the store. */
  entry: string | null;
}

/** All schedules of one store. */
export class MemoryScheduleTable {
  readonly #clock: Clock;
  readonly #publish: (message: BrokerMessage) => void;
  readonly #records: Map<string, ScheduleRecord> = new Map();

  constructor(clock: Clock, publish: (message: BrokerMessage) => void) {
    this.#clock = clock;
    this.#publish = publish;
  }

  list(): StoredSchedule[] {
    return [...this.#records]
      .map(([name, { lastTick, paused, entry }]) => ({
        name,
        lastTick,
        paused,
        // Only objects are ever stringified into it.
        entry: entry === null ? null : (JSON.parse(entry) as JsonObject),
      }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  begin(name: string, at: number): void {
    this.record(name).lastTick ??= at;
  }

  fire({ name, at, message, isStored }: Tick): TickAnswer {
    const known = this.#records.get(name);
    if (isStored && (known === undefined || known.entry === null)) return "gone";
    if (known?.paused === true) return "paused";
    if (known !== undefined && known.lastTick !== null && known.lastTick >= at) return "already";
    if (at > this.#clock.now() + tickToleranceMs) return "early";
    if (message !== null) this.#publish(message);
    this.record(name).lastTick = at;
    return "fired";
  }

  remove(name: string): boolean {
    return this.#records.delete(name);
  }

  /** The record of this name, made if need be. */
  record(name: string): ScheduleRecord {
    const record = this.#records.get(name) ?? { lastTick: null, paused: false, entry: null };
    this.#records.set(name, record);
    return record;
  }
}

/** The schedules as one memory broker sees them. */
export class MemorySchedules implements ScheduleStore {
  readonly #table: MemoryScheduleTable;
  readonly #connection: MemoryConnection;
  readonly #clock: Clock;

  constructor(table: MemoryScheduleTable, connection: MemoryConnection, clock: Clock) {
    this.#table = table;
    this.#connection = connection;
    this.#clock = clock;
  }

  async now(): Promise<number> {
    return this.#connection.request(() => this.#clock.now());
  }

  async list(): Promise<readonly StoredSchedule[]> {
    return this.#connection.request(() => this.#table.list());
  }

  async begin({ name, at }: Pick<Tick, "name" | "at" | "queue">): Promise<void> {
    this.#connection.request(() => this.#table.begin(name, at));
  }

  async fire(tick: Tick): Promise<TickAnswer> {
    return this.#connection.requestPublish(() => this.#table.fire(tick));
  }

  async put(name: string, entry: JsonObject): Promise<void> {
    this.#connection.request(() => (this.#table.record(name).entry = JSON.stringify(entry)));
  }

  async remove(name: string): Promise<boolean> {
    return this.#connection.request(() => this.#table.remove(name));
  }

  async setPaused(name: string, paused: boolean): Promise<void> {
    this.#connection.request(() => (this.#table.record(name).paused = paused));
  }
}
