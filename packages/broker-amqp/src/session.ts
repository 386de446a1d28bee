import type { Channel, ConsumeMessage } from "amqplib";
import { setMaxListeners } from "node:events";
import { sleep, type Clock } from "@q/core/broker";
import { Acks } from "./acks.ts";
import type { Link } from "./link.ts";

export interface SessionEvents {
  readonly onMessage: (found: ConsumeMessage) => void;
  /** The server has ended the subscription: the queue is gone, or its node. */
  readonly onCancelled: () => void;
}

export interface SessionOptions {
  readonly queue: string;
  readonly clock: Clock;
  readonly events: SessionEvents;
}

interface SessionParts {
  readonly link: Link;
  readonly channel: Channel;
  /** Aborts with the channel. */
  readonly ended: AbortController;
}

interface Subscription {
  readonly tag: string;
  readonly prefetch: number;
}

/** For so long nothing has come of a consumer that ends, when nothing more is on its way. Milliseconds. */
const silenceMs = 100;
/** Longest that no ack is written because a consumer ends: a worker that dies then has its tasks run again. Milliseconds. */
const longestHoldMs = 1000;

/**
 * Consuming one queue on a channel of its own, until that ends or its link does. Whatever is wrong with the queue ends this channel, and those of other queues go
 * on. Delivery tags are the channel's, so nothing of a session outlives it.
 */
export class Session {
  readonly acks: Acks;
  readonly #link: Link;
  readonly #channel: Channel;
  readonly #options: SessionOptions;
  readonly #ended: AbortController;
  /** Resolves when it has ended. */
  readonly #end: Promise<void>;
  #subscription: Subscription | undefined;

  private constructor({ link, channel, ended }: SessionParts, options: SessionOptions) {
    this.#link = link;
    this.#channel = channel;
    this.#ended = ended;
    this.#options = options;
    // Each settle under way listens for its end, and each session for that of its link.
    setMaxListeners(0, this.lost, link.lost);
    this.#end = new Promise((resolve) => {
      if (this.lost.aborted) resolve();
      else this.lost.addEventListener("abort", () => resolve(), { once: true });
    });
    const onLinkLost = (): void => this.#ended.abort(link.lost.reason);
    if (link.lost.aborted) onLinkLost();
    else link.lost.addEventListener("abort", onLinkLost, { once: true, signal: this.lost });
    this.acks = new Acks({
      ack: (deliveryTag, multiple) => channel.ack(withTag(deliveryTag), multiple),
      requeue: (deliveryTag, multiple) => channel.nack(withTag(deliveryTag), multiple, true),
      barrier: () => this.barrier(),
    });
  }

  /** @throws whatever keeps the link from opening a channel */
  static async start(link: Link, options: SessionOptions): Promise<Session> {
    const ended = new AbortController();
    const channel = await link.separateChannel((error) => ended.abort(error));
    return new Session({ link, channel, ended }, options);
  }

  /** Aborts when what came in it is not ours any more. */
  get lost(): AbortSignal {
    return this.#ended.signal;
  }

  /** The link that it lives on. */
  get link(): Link {
    return this.#link;
  }

  /** Whether it consumes its queue, or did so to its end. */
  get isSubscribed(): boolean {
    return this.#subscription !== undefined;
  }

  /** Consumes the queue with at most `prefetch` messages at a time; a subscription of another size that it had before ends. */
  async subscribe(prefetch: number): Promise<void> {
    const before = this.#subscription;
    if (before?.prefetch === prefetch) return;
    // For the consumer that follows; both are written before anything else can be.
    const limited = this.#channel.prefetch(prefetch, false);
    const consuming = this.#channel.consume(this.#options.queue, (found) => this.#onMessage(found));
    await this.#link.callSeparately(Promise.all([limited, consuming]));
    this.#subscription = { tag: (await consuming).consumerTag, prefetch };
    if (before !== undefined) await this.#cancel(before);
  }

  /** Consumes it no longer. */
  async unsubscribe(): Promise<void> {
    const subscription = this.#subscription;
    this.#subscription = undefined;
    if (subscription !== undefined) await this.#cancel(subscription);
  }

  /**
   * Ends a subscription with nothing on its way to it, mostly: what comes for a consumer that has left, a server with quorum queues puts back as if the
   * consumer had died of it.
   */
  async #cancel(subscription: Subscription): Promise<void> {
    this.acks.hold();
    try {
      await this.#silence(subscription);
      await this.#link.callSeparately(this.#channel.cancel(subscription.tag));
    } finally {
      this.acks.goOn();
    }
  }

  /** Resolves when it holds as much as it may, or nothing has come of it for a while; or the time is over. */
  async #silence({ tag, prefetch }: Subscription): Promise<void> {
    const { clock } = this.#options;
    const until = clock.monotonic() + longestHoldMs;
    let before;
    do {
      // No ack leaves meanwhile, so that what it holds only grows.
      before = this.acks.heldOf(tag);
      if (before >= prefetch || !(await sleep(clock, silenceMs, this.lost))) return;
    } while (before !== this.acks.heldOf(tag) && clock.monotonic() < until);
  }

  /** Resolves when the server has dealt with everything that was written here before. The cheapest question that it answers. */
  async barrier(): Promise<void> {
    await this.#link.callSeparately(this.#channel.prefetch(1, false));
  }

  /** Ends it as soon as all that came in it is settled, or lost. Never throws. */
  async end(): Promise<void> {
    await Promise.race([this.acks.idle(), this.#end]);
    if (this.lost.aborted) return;
    await this.#link.callSeparately(this.#channel.close()).catch(() => undefined);
    this.#ended.abort(new Error("it was ended"));
  }

  /** Ends it, because of an error: what it holds goes back. */
  fail(error: unknown): void {
    if (this.lost.aborted) return;
    this.#ended.abort(error);
    void this.#drop();
  }

  /** Never rejects: a channel that is stuck goes with its link. */
  async #drop(): Promise<void> {
    await this.#channel.close().catch(() => undefined);
  }

  #onMessage(found: ConsumeMessage | null): void {
    if (this.lost.aborted) return;
    if (found === null) {
      this.#subscription = undefined;
      this.#options.events.onCancelled();
      return;
    }
    this.acks.delivered(found.fields.deliveryTag, found.fields.consumerTag);
    this.#options.events.onMessage(found);
  }
}

/** What amqplib reads of a message that is settled. */
function withTag(deliveryTag: number): ConsumeMessage {
  return { fields: { deliveryTag } } as ConsumeMessage;
}
