import type { OutgoingMessage } from "../broker/broker-message.ts";
import type { Broker, BrokerContext, ConsumeOptions, Consumer, QueueOptions } from "../broker/broker.ts";
import type { Delivery } from "../broker/delivery.ts";
import type { OncePublisher, Publication } from "../broker/once.ts";
import type { Clock } from "../clock.ts";
import { PollingConsumer, type Claim } from "../broker/polling-consumer.ts";
import { silentLogger, type Logger } from "../logger.ts";
import { MemoryConnection, type CutLosing } from "./memory-connection.ts";
import { MemoryControlBus } from "./memory-control-bus.ts";
import { MemoryDelivery } from "./memory-delivery.ts";
import { MemoryInspector } from "./memory-inspector.ts";
import { MemoryLeases } from "./memory-leases.ts";
import type { MemoryQueue, QueueListener } from "./memory-queue.ts";
import { MemorySchedules } from "./memory-schedules.ts";
import { MemoryStore } from "./memory-store.ts";

export interface MemoryBrokerOptions {
  /** What it shares with other memory brokers. Default: a store of its own, on the machine's clock. */
  readonly store?: MemoryStore;
}

/** Nothing is ever missed in memory: it only matters after a line was cut. */
const safetyPollMs = 10_000;

/** Makes one process's broker on a store in this process's memory. */
export function memoryBroker(options: MemoryBrokerOptions = {}): MemoryBroker {
  return new MemoryBroker(options.store ?? new MemoryStore());
}

/**
 * The reference implementation of `Broker`, with every optional part, and with the accidents that can befall a process: a crash, a pause,
 * a cut line. For tests: what is stored ends with the process.
 */
export class MemoryBroker implements Broker, OncePublisher {
  readonly name = "memory";
  readonly address = "memory:";
  readonly once: OncePublisher = this;
  readonly inspector: MemoryInspector;
  readonly control: MemoryControlBus;
  readonly leases: MemoryLeases;
  readonly schedules: MemorySchedules;
  readonly #store: MemoryStore;
  readonly #connection = new MemoryConnection();
  readonly #consumers = new Set<MemoryConsumer>();
  #logger: Logger = silentLogger;

  constructor(store: MemoryStore) {
    this.#store = store;
    this.inspector = new MemoryInspector(store, this.#connection);
    this.control = new MemoryControlBus(store.channels, this.#connection);
    this.leases = new MemoryLeases(store.leases, this.#connection, store.clock);
    this.schedules = new MemorySchedules(store.schedules, this.#connection, store.clock);
  }

  /** The store's. */
  get clock(): Clock {
    return this.#store.clock;
  }

  get connected(): boolean {
    return this.#connection.connected;
  }

  /** May be called again after `close`. A crashed broker stays dead: make a new one. */
  async open(context: BrokerContext): Promise<void> {
    this.#logger = context.logger;
    this.#connection.open();
  }

  async declare(queues: readonly QueueOptions[]): Promise<void> {
    this.#connection.request(() => this.#store.declare(queues));
  }

  async publish(messages: readonly OutgoingMessage[]): Promise<void> {
    this.#connection.requestPublish(() => this.#store.publish(messages));
  }

  async publishOnce(message: OutgoingMessage, key: string, ttlMs: number): Promise<Publication> {
    return this.#connection.requestPublish(() => this.#store.publishOnce(message, key, ttlMs));
  }

  async consume(
    queues: readonly string[],
    { prefetch }: ConsumeOptions,
    onDelivery: (delivery: Delivery) => void,
  ): Promise<Consumer> {
    const turns = this.#connection.request(() => queues.map((name) => this.#store.queue(name)));
    let turn = 0;
    const claim = async (max: number): Promise<Claim> =>
      this.#connection.fetch(() => {
        const deliveries: Delivery[] = [];
        for (let empty = 0; deliveries.length < max && empty < turns.length;) {
          // The turn goes on where the last fetch ended, or the first queue would be served more than its share.
          const queue = turns[turn % turns.length];
          turn = (turn + 1) % turns.length;
          const held = queue === undefined ? undefined : this.#store.take(queue, this.#connection);
          empty = held === undefined ? empty + 1 : 0;
          if (held !== undefined) deliveries.push(new MemoryDelivery(this.#store, this.#connection, held));
        }
        return { deliveries, nextDueMs: this.#nextDueMs(turns) };
      });
    const options = { prefetch, claim, safetyPollMs, logger: this.#logger, clock: this.#store.clock };
    const consumer = new MemoryConsumer(new PollingConsumer(options, onDelivery), turns, this);
    this.#consumers.add(consumer);
    return consumer;
  }

  async close(): Promise<void> {
    const inGoodOrder = this.#connection.connected;
    await Promise.all([...this.#consumers].map((consumer) => consumer.stop()));
    this.#consumers.clear();
    this.control.closeAll();
    await this.leases.releaseAll();
    if (inGoodOrder) this.#store.giveBack(this.#connection);
    else if (this.#connection.state === "open") this.#store.processDied(this.#connection);
    this.#connection.close();
  }

  /**
   * The process vanishes, as by SIGKILL: nothing is given back and no call is answered any more. What it held returns after the store's
   * `recoveryMs`, its leases end with their time.
   */
  crash(): void {
    if (this.#connection.state !== "open") return;
    this.#connection.state = "crashed";
    for (const consumer of this.#consumers) void consumer.stop();
    this.control.closeAll();
    this.leases.abandon();
    this.#store.processDied(this.#connection);
  }

  /** As if the process had been paused for longer than its leases: it goes on, but what it held belongs to others. */
  expire(): void {
    this.leases.expire();
    this.#store.recover(this.#connection);
  }

  /** As `expire`, for messages, but the process has not noticed: it was paused, and its next act may be to settle what it believes to hold. */
  expireUnnoticed(): void {
    for (const held of this.#connection.held) held.onLost = undefined;
    this.#store.recover(this.#connection);
  }

  /**
   * Cuts the line to the store until `reconnect`. What is held stays held.
   * @param losing whether requests get lost, and nothing happens (default), or only the replies to them
   */
  disconnect(losing: CutLosing = "requests"): void {
    this.#connection.cut = losing;
  }

  /** Mends the line. Consumers go on by themselves, after their pause. */
  reconnect(): void {
    this.#connection.cut = undefined;
    for (const consumer of this.#consumers) consumer.wake();
  }

  #nextDueMs(queues: readonly MemoryQueue[]): number | undefined {
    const dueAt = Math.min(...queues.map((queue) => queue.nextDueAt() ?? Infinity));
    return dueAt === Infinity ? undefined : Math.max(0, dueAt - this.#store.clock.monotonic());
  }
}

/** A polling consumer that hears of new messages. */
class MemoryConsumer implements Consumer, QueueListener {
  readonly owner: MemoryBroker;
  readonly #polling: PollingConsumer;
  readonly #queues: readonly MemoryQueue[];

  constructor(polling: PollingConsumer, queues: readonly MemoryQueue[], owner: MemoryBroker) {
    this.#polling = polling;
    this.#queues = queues;
    this.owner = owner;
    for (const queue of queues) queue.listeners.add(this);
  }

  /** A store in memory answers for as long as there is a line to it. */
  get heardAt(): number {
    return this.owner.connected ? this.owner.clock.monotonic() : this.#polling.heardAt;
  }

  wake(): void {
    this.#polling.wake();
  }

  resize(prefetch: number): void {
    this.#polling.resize(prefetch);
  }

  async stop(): Promise<void> {
    for (const queue of this.#queues) queue.listeners.delete(this);
    await this.#polling.stop();
  }
}
