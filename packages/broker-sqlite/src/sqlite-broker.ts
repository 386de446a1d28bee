import {
  type Broker,
  type BrokerContext,
  type ConsumeOptions,
  type Consumer,
  type ControlBus,
  type Delivery,
  type LeaseStore,
  type OncePublisher,
  type OutgoingMessage,
  PublishRejected,
  type QueueInspector,
  type QueueOptions,
  type ScheduleStore,
  systemClock,
  systemLiveness,
} from "@q/core/broker";
import { notOpen } from "./connection.ts";
import { SqliteInspector } from "./inspector.ts";
import { OpenBroker, type Internals } from "./open-broker.ts";
import type { Settings } from "./options.ts";

/** Queues in one SQLite file, shared by the processes of one machine. Can be opened again after `close`. */
export class SqliteBroker implements Broker {
  readonly name = "sqlite";
  readonly address: string;
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

  /** @param internals for tests, which let processes die that do not exist */
  constructor(settings: Settings, internals: Partial<Internals> = {}) {
    this.#settings = settings;
    this.#internals = {
      clock: systemClock,
      liveness: internals.liveness ?? systemLiveness(),
      sweepEveryMs: 500,
      crashDelayMs: 1000,
      silenceMs: 30_000,
      beatEveryMs: 5000,
      safetyPollMs: 500,
      ...internals,
    };
    this.address = settings.address;
    this.inspector = new SqliteInspector(() => this.#opened().store, this.#internals.liveness);
    this.once = {
      publishOnce: async (message, key, ttlMs) => this.#toPublish().publisher.publishOnce(message, key, ttlMs),
    };
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
    return this.#open !== undefined;
  }

  open({ logger }: BrokerContext): Promise<void> {
    return this.#inTurn(async () => {
      this.#open ??= await OpenBroker.open(this.#settings, this.#internals, logger);
    });
  }

  async declare(queues: readonly QueueOptions[]): Promise<void> {
    const { store } = this.#opened();
    await store.commits.write(() => store.queues.declare(queues), { durable: true });
    store.queues.remember(queues.map(({ name }) => name));
  }

  async publish(messages: readonly OutgoingMessage[]): Promise<void> {
    await this.#toPublish().publisher.publish(messages);
  }

  async consume(
    queues: readonly string[],
    options: ConsumeOptions,
    onDelivery: (delivery: Delivery) => void,
  ): Promise<Consumer> {
    return this.#opened().consume(queues, options, onDelivery);
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
    if (this.#open === undefined) {
      const { code, message, hint } = notOpen(this.address);
      throw new PublishRejected(code, message, { hint });
    }
    return this.#open;
  }

  #inTurn(action: () => Promise<void>): Promise<void> {
    const result = this.#turn.then(action);
    // The next turn does not care how this one ended.
    this.#turn = result.catch(() => undefined);
    return result;
  }
}
