import {
  BrokerError,
  PublishRejected,
  systemClock,
  systemLiveness,
  type Broker,
  type BrokerContext,
  type ConsumeOptions,
  type Consumer,
  type ControlBus,
  type Delivery,
  type LeaseStore,
  type OncePublisher,
  type OutgoingMessage,
  type PublishLimits,
  type QueueInspector,
  type QueueOptions,
  type ScheduleStore,
} from "@q/core/broker";
import { RedisInspector } from "./inspector.ts";
import { OpenBroker, type Internals } from "./open-broker.ts";
import type { Settings } from "./options.ts";
import { publishLimits } from "./publisher.ts";
import { ThreadKeeper } from "./thread-keeper.ts";

/** Queues on Redis. Can be opened again after `close`. */
export class RedisBroker implements Broker {
  readonly name = "redis";
  readonly address: string;
  readonly publishLimits: PublishLimits = publishLimits;
  readonly once: OncePublisher;
  readonly inspector: QueueInspector;
  readonly control: ControlBus;
  readonly leases: LeaseStore;
  readonly schedules: ScheduleStore;
  readonly #settings: Settings;
  readonly #internals: Internals;
  #open: OpenBroker | undefined;
  /** The last open or close. They take turns, in the order in which they were called. */
  #turn: Promise<void> = Promise.resolve();

  /** @param internals for tests */
  constructor(settings: Settings, internals: Partial<Internals> = {}) {
    this.#settings = settings;
    this.#internals = {
      clock: systemClock,
      liveness: internals.liveness ?? systemLiveness(),
      startKeeper: (forBroker, logger) =>
        new ThreadKeeper(forBroker, logger, new URL("./lease-thread.js", import.meta.url)),
      ...internals,
    };
    this.address = settings.address;
    this.once = {
      publishOnce: async (message, key, ttlMs) => this.#toPublish().publisher.publishOnce(message, key, ttlMs),
    };
    this.inspector = new RedisInspector(() => this.#opened().store);
    this.control = {
      broadcast: async (channel, payload) => this.#opened().control.broadcast(channel, payload),
      subscribe: async (channel, onPayload) => this.#opened().control.subscribe(channel, onPayload),
    };
    this.leases = { acquire: async (name, ttlMs) => this.#opened().leases.acquire(name, ttlMs) };
    this.schedules = {
      now: async () => this.#opened().schedules.now(),
      list: async () => this.#opened().schedules.list(),
      begin: async (start) => this.#opened().schedules.begin(start),
      fire: async (tick) => this.#toPublish().schedules.fire(tick),
      put: async (name, entry) => this.#opened().schedules.put(name, entry),
      remove: async (name) => this.#opened().schedules.remove(name),
      setPaused: async (name, paused) => this.#opened().schedules.setPaused(name, paused),
    };
  }

  get connected(): boolean {
    return this.#open?.store.connection.isReady === true;
  }

  open({ logger }: BrokerContext): Promise<void> {
    return this.#inTurn(async () => {
      this.#open ??= await OpenBroker.open(this.#settings, this.#internals, logger);
    });
  }

  async declare(queues: readonly QueueOptions[]): Promise<void> {
    const { queues: known, connection } = this.#opened().store;
    await connection.insist(() => known.declare(connection, queues));
  }

  publish(messages: readonly OutgoingMessage[]): Promise<void> {
    return this.#open === undefined ? Promise.reject(this.#unpublished()) : this.#open.publisher.publish(messages);
  }

  async consume(
    queues: readonly string[],
    options: ConsumeOptions,
    onDelivery: (delivery: Delivery) => void,
  ): Promise<Consumer> {
    return await this.#opened().consume(queues, options, onDelivery);
  }

  close(): Promise<void> {
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

  #toPublish(): OpenBroker {
    if (this.#open === undefined) throw this.#unpublished();
    return this.#open;
  }

  #unpublished(): PublishRejected {
    const { code, message, hint } = notOpen(this.address);
    return new PublishRejected(code, message, { hint });
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
