import type { Channel, ConsumeMessage } from "amqplib";
import { setMaxListeners } from "node:events";
import { sleep, type Clock } from "@q/core/broker";
import { Acks } from "./acks.ts";
import type { Link } from "./link.ts";

export interface SessionEvents {
  readonly onMessage: (queue: string, found: ConsumeMessage) => void;
  /** The server has ended a subscription: the queue is gone, or its node. */
  readonly onCancelled: (queue: string) => void;
}

export interface SessionOptions {
  readonly clock: Clock;
  readonly events: SessionEvents;
}

interface Subscription {
  readonly tag: string;
  readonly prefetch: number;
}

/** For so long nothing has come of a consumer that ends, when nothing more is on its way. Milliseconds. */
const silenceMs = 100;
/** Longest that no ack is written because a consumer ends: a worker that dies then has its tasks run again. Milliseconds. */
const longestHoldMs = 1000;

/** Consuming on one channel, for as long as its link lives. Delivery tags are the channel's, so nothing of a session outlives it. */
export class Session {
  readonly acks: Acks;
  /** Queues that its consumer has found as they are to be. To subscribe to one that is not there would end the session. */
  readonly available: Set<string> = new Set();
  readonly #link: Link;
  readonly #channel: Channel;
  readonly #clock: Clock;
  readonly #events: SessionEvents;
  /** Resolves when its link has ended. */
  readonly #end: Promise<void>;
  /** By queue. */
  readonly #subscriptions = new Map<string, Subscription>();

  private constructor(link: Link, channel: Channel, { clock, events }: SessionOptions) {
    this.#link = link;
    this.#channel = channel;
    this.#clock = clock;
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
  static async start(link: Link, options: SessionOptions): Promise<Session> {
    const session = new Session(link, await link.channel(), options);
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
    const before = this.#subscriptions.get(queue);
    // For the consumer that follows; both are written before anything else can be.
    const limited = this.#channel.prefetch(prefetch, false);
    const consuming = this.#channel.consume(queue, (found) => this.#onMessage(queue, found));
    await this.#link.call(Promise.all([limited, consuming]));
    this.#subscriptions.set(queue, { tag: (await consuming).consumerTag, prefetch });
    if (before !== undefined) await this.#cancel([before]);
  }

  /** Consumes these no longer. */
  async unsubscribe(queues: readonly string[]): Promise<void> {
    const subscriptions = queues.flatMap((queue) => this.#subscriptions.get(queue) ?? []);
    for (const queue of queues) this.#subscriptions.delete(queue);
    await this.#cancel(subscriptions);
  }

  /**
   * Ends subscriptions with nothing on its way to them, mostly: what comes for a consumer that has left, a server with quorum queues puts back as if the
   * consumer had died of it.
   */
  async #cancel(subscriptions: readonly Subscription[]): Promise<void> {
    if (subscriptions.length === 0) return;
    this.acks.hold();
    try {
      await this.#silence(subscriptions);
      await this.#link.call(Promise.all(subscriptions.map(({ tag }) => this.#channel.cancel(tag))));
    } finally {
      this.acks.goOn();
    }
  }

  /** Resolves when each of them holds as much as it may, or nothing has come of them for a while, whatever comes of others; or the time is over. */
  async #silence(subscriptions: readonly Subscription[]): Promise<void> {
    const until = this.#clock.monotonic() + longestHoldMs;
    // No ack leaves meanwhile, so that what they hold only grows.
    const held = (): number => subscriptions.reduce((sum, { tag }) => sum + this.acks.heldOf(tag), 0);
    let before;
    do {
      if (subscriptions.every(({ tag, prefetch }) => this.acks.heldOf(tag) >= prefetch)) return;
      before = held();
      if (!(await sleep(this.#clock, silenceMs, this.lost))) return;
    } while (before !== held() && this.#clock.monotonic() < until);
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
      this.#subscriptions.delete(queue);
      this.#events.onCancelled(queue);
      return;
    }
    this.acks.delivered(found.fields.deliveryTag, found.fields.consumerTag);
    this.#events.onMessage(queue, found);
  }
}

/** What amqplib reads of a message that is settled. */
function withTag(deliveryTag: number): ConsumeMessage {
  return { fields: { deliveryTag } } as ConsumeMessage;
}
