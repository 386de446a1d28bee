import type { ControlBus, Subscription } from "../broker/control-bus.ts";
import { assertChannel, decodePayload, encodePayload } from "../broker/control-payload.ts";
import type { JsonObject } from "../json.ts";
import type { MemoryConnection } from "./memory-connection.ts";

type Listener = (text: string) => void;

/** Who listens to what, in all processes of one store. */
export class MemoryChannels {
  readonly #listeners: Map<string, Set<Listener>> = new Map();

  send(channel: string, text: string): void {
    for (const listener of this.#listeners.get(channel) ?? []) listener(text);
  }

  add(channel: string, listener: Listener): void {
    const listeners = this.#listeners.get(channel) ?? new Set();
    this.#listeners.set(channel, listeners.add(listener));
  }

  remove(channel: string, listener: Listener): void {
    const listeners = this.#listeners.get(channel);
    listeners?.delete(listener);
    if (listeners?.size === 0) this.#listeners.delete(channel);
  }
}

/** The bus as one memory broker sees it. */
export class MemoryControlBus implements ControlBus {
  readonly #channels: MemoryChannels;
  readonly #connection: MemoryConnection;
  readonly #endings: Set<() => void> = new Set();

  constructor(channels: MemoryChannels, connection: MemoryConnection) {
    this.#channels = channels;
    this.#connection = connection;
  }

  async broadcast(channel: string, payload: JsonObject): Promise<void> {
    assertChannel(channel);
    const text = encodePayload(payload);
    this.#connection.request(() => this.#channels.send(channel, text));
  }

  async subscribe(channel: string, onPayload: (payload: JsonObject) => void): Promise<Subscription> {
    assertChannel(channel);
    let listening = true;
    const listener: Listener = (text) => {
      // Immediates run in the order of setting, which keeps each sender's order.
      setImmediate(() => {
        const payload = decodePayload(text);
        if (listening && this.#connection.connected && payload !== undefined) onPayload(payload);
      });
    };
    const end = (): void => {
      listening = false;
      this.#channels.remove(channel, listener);
      this.#endings.delete(end);
    };
    this.#connection.request(() => this.#channels.add(channel, listener));
    this.#endings.add(end);
    return { close: async () => end() };
  }

  closeAll(): void {
    for (const end of this.#endings) end();
  }
}
