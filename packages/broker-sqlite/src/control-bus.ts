import {
  assertChannel,
  decodePayload,
  encodePayload,
  type ControlBus,
  type JsonObject,
  type Subscription,
} from "@q/core/broker";
import type { Store } from "./store.ts";

/** Payloads that are kept for listeners who are busy, and how much they may take of the room that a full disk has left. */
const kept = 500;
const keptBytes = 1024 * 1024;

const forget = `DELETE FROM broadcast WHERE seq < (
  SELECT min(seq) FROM (SELECT seq, sum(octet_length(payload)) OVER (ORDER BY seq DESC) AS bytes FROM broadcast ORDER BY seq DESC LIMIT ?)
  WHERE bytes <= ?)`;

interface BroadcastRow {
  readonly seq: number;
  readonly channel: string;
  readonly payload: string;
}

/** Broadcast through a small ring of rows: each listener remembers which one it saw last. */
export class SqliteControlBus implements ControlBus {
  readonly #store: Store;
  readonly #listeners = new Map<string, Set<(payload: JsonObject) => void>>();
  #endListening: (() => void) | undefined;
  #seen = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  async broadcast(channel: string, payload: JsonObject): Promise<void> {
    assertChannel(channel);
    const text = encodePayload(payload);
    const { connection, commits } = this.#store;
    await commits.write(
      () => {
        connection.run("INSERT INTO broadcast (channel, payload) VALUES (?, ?)", channel, text);
        connection.run(forget, kept, keptBytes);
      },
      { rings: true },
    );
  }

  async subscribe(channel: string, onPayload: (payload: JsonObject) => void): Promise<Subscription> {
    assertChannel(channel);
    const { connection, bell } = this.#store;
    const latest = await connection.read(() =>
      connection.get<{ seq: number | null }>("SELECT max(seq) AS seq FROM broadcast"),
    );
    // What was sent up to now is for those who were there.
    if (this.#listeners.size === 0) this.#seen = latest?.seq ?? 0;
    else this.#read();
    const listener = (payload: JsonObject): void => onPayload(payload);
    this.#listeners.set(channel, (this.#listeners.get(channel) ?? new Set()).add(listener));
    this.#endListening ??= bell.listen(() => this.#read());
    return { close: async () => this.#remove(channel, listener) };
  }

  close(): void {
    this.#listeners.clear();
    this.#endListening?.();
    this.#endListening = undefined;
  }

  #remove(channel: string, listener: (payload: JsonObject) => void): void {
    const listeners = this.#listeners.get(channel);
    listeners?.delete(listener);
    if (listeners?.size === 0) this.#listeners.delete(channel);
    if (this.#listeners.size === 0) this.close();
  }

  #read(): void {
    for (const { seq, channel, payload } of this.#newRows()) {
      this.#seen = seq;
      const value = this.#listeners.has(channel) ? decodePayload(payload) : undefined;
      if (value === undefined) continue;
      for (const listener of this.#listeners.get(channel) ?? []) listener(value);
    }
  }

  #newRows(): readonly BroadcastRow[] {
    try {
      return this.#store.connection.all<BroadcastRow>(
        "SELECT seq, channel, payload FROM broadcast WHERE seq > ? ORDER BY seq",
        this.#seen,
      );
    } catch (error) {
      this.#store.logger.debug({ err: error }, "could not read the control messages; trying again at the next one");
      return [];
    }
  }
}
