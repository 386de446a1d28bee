import { isJsonObject } from "@q/core/broker";
import { amqpError } from "./amqp-error.ts";
import type { AmqpControlBus } from "./control-bus.ts";
import type { Connection } from "./connection.ts";
import { isThere } from "./is-there.ts";
import { pauseQueue } from "./names.ts";

export interface PausesOptions {
  readonly quiet: () => Promise<Connection>;
  readonly control: Pick<AmqpControlBus, "listen" | "send" | "onAgain">;
  readonly address: string;
}

const routingKey = "_pause";

/**
 * Which queues are paused: each has an empty queue for a sign, which outlives everybody. Consumers look for it when they begin, also after their connection
 * was away, and hear of changes meanwhile on the same connection. After an outage they may have looked before they hear again, so they look once more then.
 */
export class Pauses {
  readonly #options: PausesOptions;
  /** Queues that somebody here consumes, or did. */
  readonly #known = new Set<string>();
  readonly #paused = new Set<string>();
  readonly #listeners = new Set<(queue: string) => void>();
  #hearing: Promise<void> | undefined;

  constructor(options: PausesOptions) {
    this.#options = options;
    options.control.onAgain(() => {
      for (const queue of this.#known) void this.#lookAgain(queue);
    });
  }

  /** As far as this process has looked or heard. */
  isPaused(queue: string): boolean {
    return this.#paused.has(queue);
  }

  /** Looks for the sign; from then on this process hears of changes. @throws BrokerError when the broker cannot be reached */
  async refresh(queue: string): Promise<boolean> {
    this.#known.add(queue);
    await this.#hear();
    const isPaused = await this.look(queue);
    this.#set(queue, isPaused);
    return isPaused;
  }

  /** @throws BrokerError when the broker cannot be reached */
  async look(queue: string): Promise<boolean> {
    const link = await (await this.#options.quiet()).ready();
    try {
      return await isThere(link, (channel) => channel.checkQueue(pauseQueue(queue)));
    } catch (error) {
      throw amqpError(error, this.#options.address);
    }
  }

  async set(queue: string, isPaused: boolean): Promise<void> {
    const { quiet, control, address } = this.#options;
    const link = await (await quiet()).ready();
    const name = pauseQueue(queue);
    try {
      if (isPaused) await link.ask((channel) => channel.assertQueue(name, { durable: true }));
      else await link.ask((channel) => channel.deleteQueue(name));
    } catch (error) {
      throw amqpError(error, address);
    }
    await control.send(routingKey, { queue });
  }

  onChange(listener: (queue: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #hear(): Promise<void> {
    const hearing = (this.#hearing ??= this.#options.control
      .listen(routingKey, (payload) => {
        const { queue } = payload;
        if (typeof queue === "string" && isJsonObject(payload)) void this.#lookAgain(queue);
      })
      .then(() => undefined));
    hearing.catch(() => {
      // The next one tries again.
      if (this.#hearing === hearing) this.#hearing = undefined;
    });
    return hearing;
  }

  /** Never rejects: a connection that is gone looks again when it is back. */
  async #lookAgain(queue: string): Promise<void> {
    try {
      this.#set(queue, await this.look(queue));
      for (const listener of this.#listeners) listener(queue);
    } catch {
      // As above.
    }
  }

  #set(queue: string, isPaused: boolean): void {
    if (isPaused) this.#paused.add(queue);
    else this.#paused.delete(queue);
  }
}
