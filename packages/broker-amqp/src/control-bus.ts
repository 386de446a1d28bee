import type { Channel } from "amqplib";
import {
  assertChannel,
  BrokerError,
  decodePayload,
  encodePayload,
  type Clock,
  type ControlBus,
  type JsonObject,
  type Logger,
  type Subscription,
} from "@q/core/broker";
import { amqpError } from "./amqp-error.ts";
import type { Connection } from "./connection.ts";
import type { Link } from "./link.ts";
import { eventsExchange } from "./names.ts";
import type { Outboxes } from "./outboxes.ts";

/** What a slow listener keeps waiting; older ones are dropped. */
const longestQueue = 10_000;

type Listener = (payload: JsonObject) => void;

export interface ControlBusOptions {
  readonly connection: Connection;
  readonly quiet: () => Promise<Connection>;
  readonly outbox: Outboxes;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly address: string;
}

/** Listening on one link. */
interface Ear {
  readonly link: Link;
  readonly channel: Channel;
  readonly queue: string;
}

/** Broadcast through one exchange. Who listens has a queue of its own there, which goes with its connection and is made again with the next. */
export class AmqpControlBus implements ControlBus {
  readonly #options: ControlBusOptions;
  /** By routing key. */
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #onAgain = new Set<() => void>();
  #ear: Promise<Ear> | undefined;
  /** The link of the ear, also while that is being opened: there is one on each, or everything would be heard twice. */
  #earOn: Link | undefined;
  #isWatching = false;
  /** The link on which the exchange was last seen to. */
  #exchangeOn: Link | undefined;

  constructor(options: ControlBusOptions) {
    this.#options = options;
  }

  async broadcast(channel: string, payload: JsonObject): Promise<void> {
    await this.send(keyOf(channel), payload);
  }

  /** As `broadcast`, under a key that need not be a channel's. */
  async send(routingKey: string, payload: JsonObject): Promise<void> {
    const text = encodePayload(payload);
    const { connection, outbox, address } = this.#options;
    const link = await connection.ready();
    if (this.#exchangeOn !== link) {
      await declareExchange(link).catch((error: unknown) => {
        throw amqpError(error, address);
      });
      this.#exchangeOn = link;
    }
    // Who is not there misses it, so nothing is stored and nothing comes back.
    const options = { contentType: "application/json" };
    const failures = await outbox.send([
      { queue: routingKey, exchange: eventsExchange, routingKey, content: Buffer.from(text), options },
    ]);
    const failure = failures.get(0);
    if (failure !== undefined)
      throw new BrokerError(failure.code, failure.message, { hint: failure.hint, cause: failure });
  }

  async subscribe(channel: string, onPayload: Listener): Promise<Subscription> {
    return await this.listen(keyOf(channel), onPayload);
  }

  /** As `subscribe`, under a key that need not be a channel's. */
  async listen(routingKey: string, onPayload: Listener): Promise<Subscription> {
    // One function may listen twice.
    const listener: Listener = (payload) => onPayload(payload);
    const listeners = this.#listeners.get(routingKey) ?? new Set();
    this.#listeners.set(routingKey, listeners.add(listener));
    try {
      const { link, channel, queue } = await this.#listening();
      await link.call(channel.bindQueue(queue, eventsExchange, routingKey));
    } catch (error) {
      await this.#remove(routingKey, listener);
      throw amqpError(error, this.#options.address);
    }
    return { close: () => this.#remove(routingKey, listener) };
  }

  /** Calls back whenever it listens again after its connection was away: what was said meanwhile, nobody here has heard. */
  onAgain(listener: () => void): void {
    this.#onAgain.add(listener);
  }

  close(): void {
    this.#listeners.clear();
    this.#onAgain.clear();
  }

  async #listening(): Promise<Ear> {
    const connection = await this.#options.quiet();
    const link = await connection.ready();
    if (this.#earOn !== link) this.#open(link);
    if (!this.#isWatching) {
      this.#isWatching = true;
      connection.onLink((next) => void this.#listenAgain(next));
    }
    // `#open` has just set it, or it was there.
    return await (this.#ear as Promise<Ear>);
  }

  #open(link: Link): void {
    const opening = openEar(link, (routingKey, content) => this.#hear(routingKey, content));
    this.#ear = opening;
    this.#earOn = link;
    opening.catch(() => {
      if (this.#ear === opening) this.#earOn = undefined;
    });
  }

  /** Never rejects. When it fails, the link has ended again, or the next listener hears why. */
  async #listenAgain(link: Link): Promise<void> {
    const keys = [...this.#listeners.keys()];
    if (keys.length === 0 || this.#earOn === link) return;
    this.#open(link);
    try {
      const { channel, queue } = await (this.#ear as Promise<Ear>);
      for (const key of keys) await link.call(channel.bindQueue(queue, eventsExchange, key));
      for (const listener of this.#onAgain) listener();
    } catch (error) {
      this.#options.logger.debug({ err: error }, "could not listen for broadcasts again");
    }
  }

  #hear(routingKey: string, content: Buffer): void {
    const listeners = this.#listeners.get(routingKey);
    const payload = listeners === undefined ? undefined : decodePayload(content.toString());
    if (payload === undefined) return;
    for (const listener of listeners ?? []) listener(payload);
  }

  /** Never rejects. */
  async #remove(routingKey: string, listener: Listener): Promise<void> {
    const listeners = this.#listeners.get(routingKey);
    if (listeners?.delete(listener) !== true || listeners.size > 0) return;
    this.#listeners.delete(routingKey);
    try {
      const ear = await this.#ear;
      if (ear === undefined || ear.link.lost.aborted) return;
      await ear.link.call(ear.channel.unbindQueue(ear.queue, eventsExchange, routingKey));
    } catch (error) {
      // Nobody listens here: what still comes is dropped.
      this.#options.logger.debug({ err: error }, "could not end a subscription");
    }
  }
}

async function openEar(link: Link, onMessage: (routingKey: string, content: Buffer) => void): Promise<Ear> {
  await declareExchange(link);
  const channel = await link.channel();
  const options = { exclusive: true, durable: false, autoDelete: true, arguments: { "x-max-length": longestQueue } };
  const { queue } = await link.call(channel.assertQueue("", options));
  await link.call(
    channel.consume(queue, (found) => found !== null && onMessage(found.fields.routingKey, found.content), {
      noAck: true,
    }),
  );
  return { link, channel, queue };
}

async function declareExchange(link: Link): Promise<void> {
  await link.ask((channel) => channel.assertExchange(eventsExchange, "direct", { durable: true }));
}

/** A routing key of ours. The names of channels have no underscore, so other uses of the exchange have. */
function keyOf(channel: string): string {
  assertChannel(channel);
  return channel;
}
