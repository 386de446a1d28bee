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
import { AmqpLeaseStore } from "./lease-store.ts";
import { Locks } from "./locks.ts";
import { Marks } from "./marks.ts";
import { eventsExchange } from "./names.ts";
import type { Settings } from "./options.ts";
import { Outbox } from "./outbox.ts";
import { Pauses } from "./pauses.ts";
import { Publisher } from "./publisher.ts";
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
  readonly #settler: Settler;
  readonly #consumers = new Set<AmqpConsumer>();
  #quiet: Promise<Connection> | undefined;
  #isClosed = false;

  private constructor(connection: Connection, { settings, clock, logger }: OpenOptions) {
    const { timeoutMs, address } = settings;
    const quiet = (): Promise<Connection> => this.#quietConnection({ settings, clock, logger });
    const topology = new Topology(settings, logger);
    const outbox = new Outbox({
      connection,
      clock,
      logger,
      timeoutMs,
      prepare: async (link, waiting) => {
        // The server may come back empty.
        topology.forgetDelays();
        for (const { exchange, queue } of waiting)
          if (exchange !== "" && exchange !== eventsExchange) await topology.repairDelays(link, queue);
      },
    });
    const locks = new Locks({ quiet, clock, timeoutMs, address });
    const marks = new Marks({ quiet, outbox, topology, locks, clock, address });
    const publisher = new Publisher({ connection, outbox, topology });
    const store: Store = { settings, connection, quiet, topology, outbox, publisher, locks, marks, clock, logger };
    this.store = store;
    this.control = new AmqpControlBus({ connection, quiet, outbox, clock, logger, address });
    this.pauses = new Pauses({ quiet, control: this.control, address });
    this.leases = new AmqpLeaseStore(store);
    this.deadLetters = new DeadLetters(store);
    this.#settler = new Settler(store);
  }

  /** @throws BrokerError `Q1001`, `Q1002`, `Q1021`, `Q1025` */
  static async open(options: OpenOptions): Promise<OpenBroker> {
    return new OpenBroker(await Connection.open({ ...options, name: "q publish" }), options);
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
    });
    this.#consumers.add(consumer);
    return consumer;
  }

  /** Gives back what is held and disconnects. Never throws. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const done = new AbortController();
    const leaving = Promise.all([...this.#consumers].map((consumer) => consumer.leave())).finally(() => done.abort());
    await Promise.race([leaving, sleep(this.store.clock, longestCloseMs, done.signal)]);
    this.control.close();
    this.store.outbox.close();
    const quiet = await this.#quiet?.catch(() => undefined);
    await Promise.all([quiet?.close(), this.store.connection.close()]);
  }

  /** Lets go of everything without a word, as a process that is killed. For tests. */
  abandon(): void {
    this.#isClosed = true;
    this.store.connection.abandon();
    void this.#quiet?.then((quiet) => quiet.abandon()).catch(() => undefined);
  }

  #quietConnection(options: OpenOptions): Promise<Connection> {
    const opening = (this.#quiet ??= Connection.open({ ...options, name: "q consume" }));
    opening.then(
      (connection) => {
        if (this.#isClosed) void connection.close();
      },
      () => {
        // The next one tries again.
        if (this.#quiet === opening) this.#quiet = undefined;
      },
    );
    return opening;
  }
}
