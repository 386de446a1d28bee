import type { Channel, ConsumeMessage } from "amqplib";
import { setMaxListeners } from "node:events";
import { Acks } from "./acks.ts";
import type { Link } from "./link.ts";

export interface SessionEvents {
  readonly onMessage: (queue: string, found: ConsumeMessage) => void;
  /** The server has ended a subscription: the queue is gone, or its node. */
  readonly onCancelled: (queue: string) => void;
}

/** Consuming on one channel, for as long as its link lives. Delivery tags are the channel's, so nothing of a session outlives it. */
export class Session {
  readonly acks: Acks;
  readonly #link: Link;
  readonly #channel: Channel;
  readonly #events: SessionEvents;
  /** Resolves when its link has ended. */
  readonly #end: Promise<void>;
  /** Consumer tags by queue. */
  readonly #tags = new Map<string, string>();

  private constructor(link: Link, channel: Channel, events: SessionEvents) {
    this.#link = link;
    this.#channel = channel;
    this.#events = events;
    this.#end = new Promise((resolve) => {
      if (link.lost.aborted) resolve();
      else link.lost.addEventListener("abort", () => resolve(), { once: true });
    });
    this.acks = new Acks({
      ack: (deliveryTag, multiple) => channel.ack(withTag(deliveryTag), multiple),
      requeue: (deliveryTag, multiple) => channel.nack(withTag(deliveryTag), multiple, true),
      barrier: () => this.barrier(),
    });
  }

  /** @throws whatever keeps the link from opening a channel */
  static async start(link: Link, events: SessionEvents): Promise<Session> {
    const session = new Session(link, await link.channel(), events);
    // Each settle under way listens for its end.
    setMaxListeners(0, link.lost);
    return session;
  }

  get lost(): AbortSignal {
    return this.#link.lost;
  }

  /** The link that it lives on. */
  get link(): Link {
    return this.#link;
  }

  /** Consumes the queue with at most `prefetch` messages at a time; a subscription that it had before ends. */
  async subscribe(queue: string, prefetch: number): Promise<void> {
    const before = this.#tags.get(queue);
    // For the consumer that follows; both are written before anything else can be.
    const limited = this.#channel.prefetch(prefetch, false);
    const consuming = this.#channel.consume(queue, (found) => this.#onMessage(queue, found));
    await this.#link.call(Promise.all([limited, consuming]));
    this.#tags.set(queue, (await consuming).consumerTag);
    if (before !== undefined) await this.#link.call(this.#channel.cancel(before));
  }

  async unsubscribe(queue: string): Promise<void> {
    const tag = this.#tags.get(queue);
    if (tag === undefined) return;
    this.#tags.delete(queue);
    await this.#link.call(this.#channel.cancel(tag));
  }

  /** Resolves when the server has dealt with everything that was written here before. The cheapest question that it answers. */
  async barrier(): Promise<void> {
    await this.#link.call(this.#channel.prefetch(1, false));
  }

  /** Ends it as soon as all that came in it is settled, or lost. Never throws. */
  async end(): Promise<void> {
    await Promise.race([this.acks.idle(), this.#end]);
    await this.#link.retire(this.#channel).catch(() => undefined);
  }

  #onMessage(queue: string, found: ConsumeMessage | null): void {
    if (found === null) {
      this.#tags.delete(queue);
      this.#events.onCancelled(queue);
      return;
    }
    this.acks.delivered(found.fields.deliveryTag);
    this.#events.onMessage(queue, found);
  }
}

/** What amqplib reads of a message that is settled. */
function withTag(deliveryTag: number): ConsumeMessage {
  return { fields: { deliveryTag } } as ConsumeMessage;
}
