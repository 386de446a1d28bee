import {
  sleep,
  type Clock,
  type ConsumeOptions,
  type Consumer,
  type Delivery,
  type Logger,
  type QueueOptions,
} from "@q/core/broker";
import { Connection } from "./connection.ts";
import { AmqpConsumer } from "./consumer.ts";
import { AmqpControlBus } from "./control-bus.ts";
import { DeadLetters } from "./dead-letters.ts";
import { LazyConnection } from "./lazy-connection.ts";
import type { LinkOptions } from "./link.ts";
import { AmqpLeaseStore } from "./lease-store.ts";
import { Locks } from "./locks.ts";
import { Marks } from "./marks.ts";
import { eventsExchange } from "./names.ts";
import type { Settings } from "./options.ts";
import { Outboxes } from "./outboxes.ts";
import { Pauses } from "./pauses.ts";
import { Publisher } from "./publisher.ts";
import { AmqpScheduleStore } from "./schedule-store.ts";
import { Settler } from "./settler.ts";
import type { Store } from "./store.ts";
import { Topology } from "./topology.ts";

/** `close()` may take 5 s in all. */
const longestCloseMs = 4000;

export interface OpenOptions {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A broker between `open` and `close`: everything that has a connection. */
export class OpenBroker {
  readonly store: Store;
  readonly control: AmqpControlBus;
  readonly leases: AmqpLeaseStore;
  readonly deadLetters: DeadLetters;
  readonly pauses: Pauses;
  readonly schedules: AmqpScheduleStore;
  /** Those that have not ended: a worker that is paused and goes on has a new one each time. */
  readonly consumers: Set<AmqpConsumer> = new Set();
  readonly #settler: Settler;
  readonly #quiet: LazyConnection;
  readonly #reading: LazyConnection;
  /** More of them, for single queues. */
  readonly #others = new Set<Connection>();
  readonly #closed = new AbortController();

  private constructor(connection: Connection, options: OpenOptions) {
    const { settings, clock, logger } = options;
    const { timeoutMs, address } = settings;
    this.#quiet = new LazyConnection({ ...options, name: "q consume" });
    this.#reading = new LazyConnection({ ...options, name: "q marks" });
    const quiet = (): Promise<Connection> => this.#quiet.get();
    const topology = new Topology(settings, logger);
    const outbox = new Outboxes({
      connection,
      onApart: (own) => this.#others.add(own),
      clock,
      logger,
      timeoutMs,
      prepare: async (link, waiting) => {
        // The server may come back empty.
        topology.delays.forget();
        const delayed = [...waiting].filter(({ exchange }) => exchange !== "" && exchange !== eventsExchange);
        return delayed.length === 0 ? new Map() : await topology.delays.repair(link, delayed);
      },
    });
    const locks = new Locks({ quiet, clock, timeoutMs, address });
    const reading = (): Promise<Connection> => this.#reading.get();
    const marks = new Marks({ quiet, reading, outbox, topology, locks, clock, address });
    const publisher = new Publisher({ connection, outbox, topology });
    const connect = (name: string): Promise<Connection> => this.#connect({ ...options, name });
    const apart = new Set<string>();
    const stored = {
      settings,
      connection,
      quiet,
      reading,
      connect,
      apart,
      topology,
      outbox,
      publisher,
      locks,
      marks,
      clock,
      logger,
    };
    const store: Store = stored;
    this.store = store;
    this.control = new AmqpControlBus({ connection, quiet, outbox, clock, logger, address });
    this.pauses = new Pauses({ quiet, control: this.control, address });
    this.leases = new AmqpLeaseStore(store);
    this.deadLetters = new DeadLetters(store);
    this.schedules = new AmqpScheduleStore(store, new LazyConnection({ ...options, name: "q schedules" }));
    this.#settler = new Settler(store);
  }

  /** @param signal aborts when it is to be closed @throws BrokerError `Q1001`, `Q1002`, `Q1021`, `Q1025` */
  static async open(options: OpenOptions, signal: AbortSignal): Promise<OpenBroker> {
    return new OpenBroker(await Connection.open({ ...options, name: "q publish" }, signal), options);
  }

  async declare(queues: readonly QueueOptions[]): Promise<void> {
    const { connection, topology } = this.store;
    for (const queue of queues) await topology.declare(await connection.ready(), queue);
  }

  async consume(
    queues: readonly string[],
    options: ConsumeOptions,
    onDelivery: (delivery: Delivery) => void,
  ): Promise<Consumer> {
    const consumer = await AmqpConsumer.start(this.store, {
      ...options,
      queues,
      onDelivery,
      settler: this.#settler,
      pauses: this.pauses,
      onEnd: (ended) => this.consumers.delete(ended),
    });
    this.consumers.add(consumer);
    return consumer;
  }

  /** Gives back what is held and disconnects. Never throws. */
  async close(): Promise<void> {
    this.#closed.abort();
    const done = new AbortController();
    const leaving = Promise.all([
      this.schedules.leave(),
      ...[...this.consumers].map((consumer) => consumer.leave()),
    ]).finally(() => done.abort());
    await Promise.race([leaving, sleep(this.store.clock, longestCloseMs, done.signal)]);
    this.control.close();
    this.store.outbox.close();
    await Promise.all([
      this.#quiet.close(),
      this.#reading.close(),
      this.store.connection.close(),
      this.schedules.disconnect(),
      ...[...this.#others].map((connection) => connection.close()),
    ]);
  }

  /** Lets go of everything without a word, as a process that is killed. For tests. */
  abandon(): void {
    this.#closed.abort();
    this.store.connection.abandon();
    this.#quiet.abandon();
    this.#reading.abandon();
    this.schedules.abandon();
    for (const connection of this.#others) connection.abandon();
  }

  async #connect(options: LinkOptions): Promise<Connection> {
    const connection = await Connection.open(options, this.#closed.signal);
    for (const other of this.#others) if (other.isClosed) this.#others.delete(other);
    this.#others.add(connection);
    return connection;
  }
}
