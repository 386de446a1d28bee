import {
  assertChannel,
  decodePayload,
  encodePayload,
  type ControlBus,
  type JsonObject,
  type Subscription,
} from "@q/core/broker";
import { Connection } from "./connection.ts";
import { controlChannel } from "./keys.ts";
import { ConnectionLost } from "./redis-error.ts";
import { broadcast } from "./scripts/broadcast.ts";
import type { Store } from "./store.ts";

type Listener = (payload: JsonObject) => void;

/** Broadcast by Redis's publish and subscribe. Who listens has a connection for it, that subscribes again whenever it comes back. */
export class RedisControlBus implements ControlBus {
  readonly #store: Store;
  /** By name in Redis. */
  readonly #listeners = new Map<string, Set<Listener>>();
  #listening: Promise<Connection> | undefined;
  #isClosed = false;

  constructor(store: Store) {
    this.#store = store;
  }

  async broadcast(channel: string, payload: JsonObject): Promise<void> {
    const name = this.#nameOf(channel);
    const text = encodePayload(payload);
    const { connection, queues } = this.#store;
    await connection.ready(this.#deadline());
    await broadcast(connection, { key: queues.registry, channel: name, payload: text });
  }

  async subscribe(channel: string, onPayload: Listener): Promise<Subscription> {
    const name = this.#nameOf(channel);
    const connection = await this.#connection();
    // One function may listen twice.
    const listener: Listener = (payload) => onPayload(payload);
    this.#listeners.set(name, (this.#listeners.get(name) ?? new Set()).add(listener));
    const close = (): Promise<void> => this.#remove(connection, name, listener);
    try {
      await connection.ready(this.#deadline());
      await connection.call("subscribe", name);
    } catch (error) {
      await close();
      throw error;
    }
    return { close };
  }

  close(): void {
    this.#isClosed = true;
    this.#listeners.clear();
    // What could not be opened is closed already.
    this.#listening?.then((connection) => connection.close()).catch(() => undefined);
  }

  #connection(): Promise<Connection> {
    const opening = (this.#listening ??= this.#open());
    opening.catch(() => {
      // The next subscriber tries again.
      if (this.#listening === opening) this.#listening = undefined;
    });
    return opening;
  }

  async #open(): Promise<Connection> {
    const connection = await Connection.open(this.#store);
    if (this.#isClosed) connection.close();
    connection.client.on("message", (name: string, text: string) => this.#hear(name, text));
    connection.onReconnect(() => void this.#subscribeAgain(connection));
    return connection;
  }

  /** Never rejects. When the connection has ended again, the next one is asked. */
  async #subscribeAgain(connection: Connection): Promise<void> {
    const names = [...this.#listeners.keys()];
    if (names.length === 0) return;
    await connection.call("subscribe", ...names).catch((error: unknown) => {
      const { logger } = this.#store;
      if (error instanceof ConnectionLost) logger.debug({ err: error }, "could not subscribe again");
      else logger.warn({ err: error }, "Redis refuses to let this process listen: it hears no remote commands");
    });
  }

  #hear(name: string, text: string): void {
    const listeners = this.#listeners.get(name);
    const payload = listeners === undefined ? undefined : decodePayload(text);
    if (payload === undefined) return;
    for (const listener of listeners ?? []) listener(payload);
  }

  /** Never rejects. */
  async #remove(connection: Connection, name: string, listener: Listener): Promise<void> {
    const listeners = this.#listeners.get(name);
    if (listeners?.delete(listener) !== true || listeners.size > 0) return;
    this.#listeners.delete(name);
    await connection.call("unsubscribe", name).catch((error: unknown) => {
      // Nobody listens here: what still comes is dropped.
      this.#store.logger.debug({ err: error }, "could not end a subscription");
    });
  }

  #nameOf(channel: string): string {
    assertChannel(channel);
    return controlChannel(channel, this.#store.settings);
  }

  #deadline(): number {
    const { clock, settings } = this.#store;
    return clock.monotonic() + settings.timeoutMs;
  }
}
