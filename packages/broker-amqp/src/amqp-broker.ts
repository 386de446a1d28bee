import {
  BrokerError,
  PublishRejected,
  systemClock,
  type Broker,
  type BrokerContext,
  type Clock,
  type ConsumeOptions,
  type Consumer,
  type ControlBus,
  type Delivery,
  type HoldLimit,
  type LeaseStore,
  type OutgoingMessage,
  type PublishLimits,
  type QueueInspector,
  type QueueOptions,
  type ScheduleStore,
} from "@q/core/broker";
import { raiseHoldLimit } from "./hold-limit.ts";
import { AmqpInspector } from "./inspector.ts";
import { OpenBroker } from "./open-broker.ts";
import type { Settings } from "./options.ts";

/** Queues on RabbitMQ. Can be opened again after `close`. It has no `once`: RabbitMQ cannot look for a key and store a message in one step. */
export class AmqpBroker implements Broker {
  readonly name = "amqp";
  readonly address: string;
  readonly holdLimit?: HoldLimit;
  readonly inspector: QueueInspector;
  readonly control: ControlBus;
  readonly leases: LeaseStore;
  readonly schedules: ScheduleStore;
  /** RabbitMQ confirms some messages while others are on their way: whoever sends these next need not wait for those. */
  readonly publishLimits: PublishLimits = { messagesOfCall: 8, callsAtOnce: 128 };
  readonly #settings: Settings;
  readonly #clock: Clock;
  #open: OpenBroker | undefined;
  /** Aborts when what has been opened until then is closed. */
  #closing = new AbortController();
  /** The last open or close. They take turns, in the order in which they were called. */
  #turn: Promise<void> = Promise.resolve();

  /** @param clock for tests */
  constructor(settings: Settings, clock: Clock = systemClock) {
    this.#settings = settings;
    this.#clock = clock;
    this.address = settings.address;
    const { consumerTimeoutMs } = settings;
    if (consumerTimeoutMs !== null) this.holdLimit = { ms: consumerTimeoutMs, hint: raiseHoldLimit };
    this.inspector = new AmqpInspector(() => this.#opened());
    this.control = {
      broadcast: async (channel, payload) => this.#opened().control.broadcast(channel, payload),
      subscribe: async (channel, onPayload) => this.#opened().control.subscribe(channel, onPayload),
    };
    this.leases = { acquire: async (name, ttlMs) => this.#opened().leases.acquire(name, ttlMs) };
    this.schedules = {
      now: async () => this.#opened().schedules.now(),
      list: async () => this.#opened().schedules.list(),
      begin: async (start) => this.#opened().schedules.begin(start),
      fire: async (tick) => this.#openedToPublish().schedules.fire(tick),
      put: async (name, entry) => this.#opened().schedules.put(name, entry),
      remove: async (name) => this.#opened().schedules.remove(name),
      setPaused: async (name, paused) => this.#opened().schedules.setPaused(name, paused),
      counts: async (tick, message) => this.#opened().schedules.counts(tick, message),
    };
  }

  get connected(): boolean {
    return this.#open?.store.connection.isReady === true;
  }

  open({ logger }: BrokerContext): Promise<void> {
    const { signal } = this.#closing;
    return this.#inTurn(async () => {
      this.#open ??= await OpenBroker.open({ settings: this.#settings, clock: this.#clock, logger }, signal);
    });
  }

  async declare(queues: readonly QueueOptions[]): Promise<void> {
    await this.#opened().declare(queues);
  }

  async publish(messages: readonly OutgoingMessage[]): Promise<void> {
    await this.#openedToPublish().store.publisher.publish(messages);
  }

  async consume(
    queues: readonly string[],
    options: ConsumeOptions,
    onDelivery: (delivery: Delivery) => void,
  ): Promise<Consumer> {
    return await this.#opened().consume(queues, options, onDelivery);
  }

  close(): Promise<void> {
    // What is opening may take long, and nobody wants it any more.
    this.#closing.abort();
    this.#closing = new AbortController();
    return this.#inTurn(async () => {
      const open = this.#open;
      this.#open = undefined;
      await open?.close();
    });
  }

  /** Ends as SIGKILL would end the process: nothing is given back, nothing is said. For tests. */
  abandon(): void {
    this.#open?.abandon();
    this.#open = undefined;
  }

  #opened(): OpenBroker {
    if (this.#open === undefined) throw notOpen(this.address);
    return this.#open;
  }

  /** @throws PublishRejected `Q1010` */
  #openedToPublish(): OpenBroker {
    if (this.#open !== undefined) return this.#open;
    const { code, message, hint } = notOpen(this.address);
    throw new PublishRejected(code, message, { hint });
  }

  #inTurn(action: () => Promise<void>): Promise<void> {
    const result = this.#turn.then(action);
    // The next turn does not care how this one ended.
    this.#turn = result.catch(() => undefined);
    return result;
  }
}

function notOpen(address: string): BrokerError {
  return new BrokerError("Q1010", `the broker ${address} is not open`, { hint: "await app.open() first" });
}
