import type { DeadLetter, Page, PageOptions, QueueInspector, QueueStats, Redrive } from "@q/core/broker";
import { amqpError, replyCode, replyCodeOf } from "./amqp-error.ts";
import type { DeadLetters } from "./dead-letters.ts";
import type { Pauses } from "./pauses.ts";
import type { Store } from "./store.ts";

/** What the inspector works with while the broker is open. */
export interface Inspected {
  readonly store: Store;
  readonly deadLetters: DeadLetters;
  readonly pauses: Pauses;
}

/** What AMQP itself tells of queues; the server's management interface would know more, on another port. */
export class AmqpInspector implements QueueInspector {
  readonly gaps: string =
    "RabbitMQ tells its clients what is ready, and neither how old that is, nor what is delayed or held: rabbitmqctl list_queues shows more";
  readonly #opened: () => Inspected;

  /** @param opened throws while the broker is not open */
  constructor(opened: () => Inspected) {
    this.#opened = opened;
  }

  /** Those that this process has declared: AMQP lists none. */
  async queues(): Promise<readonly string[]> {
    return this.#opened().store.topology.queues;
  }

  async stats(queue: string): Promise<QueueStats> {
    const { deadLetters, pauses } = this.#opened();
    const { messageCount, consumerCount } = await this.#passively(queue);
    return {
      queue,
      ready: messageCount,
      // In the ladder, among those of all other queues.
      delayed: null,
      inFlight: null,
      dead: await deadLetters.count(queue),
      oldestReadyMs: null,
      consumers: consumerCount,
      paused: await pauses.look(queue),
    };
  }

  async purge(queue: string): Promise<number> {
    const { store } = this.#opened();
    const link = await (await store.quiet()).ready();
    try {
      const { messageCount } = await link.ask((channel) => channel.purgeQueue(queue));
      return messageCount;
    } catch (error) {
      if (replyCodeOf(error) === replyCode.missing) return 0;
      throw amqpError(error, store.settings.address);
    }
  }

  async pause(queue: string): Promise<void> {
    await this.#opened().pauses.set(queue, true);
  }

  async resume(queue: string): Promise<void> {
    await this.#opened().pauses.set(queue, false);
  }

  async deadLetters(queue: string, options: PageOptions): Promise<Page<DeadLetter>> {
    return await this.#opened().deadLetters.list(queue, options);
  }

  async redrive(queue: string, entries: readonly Redrive[]): Promise<number> {
    return await this.#opened().deadLetters.redrive(queue, entries);
  }

  async drop(queue: string, entryIds: readonly string[]): Promise<number> {
    return await this.#opened().deadLetters.drop(queue, entryIds);
  }

  /** On a channel of its own, which the server closes when there is no such queue. */
  async #passively(queue: string): Promise<{ readonly messageCount: number; readonly consumerCount: number }> {
    const { store } = this.#opened();
    const link = await (await store.quiet()).ready();
    try {
      return await link.ask((channel) => channel.checkQueue(queue));
    } catch (error) {
      if (replyCodeOf(error) === replyCode.missing) return { messageCount: 0, consumerCount: 0 };
      throw amqpError(error, store.settings.address);
    }
  }
}
