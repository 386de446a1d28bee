import {
  silentLogger,
  sleep,
  type Clock,
  type ConsumeOptions,
  type Consumer,
  type Delivery,
  type Liveness,
  type Logger,
} from "@q/core/broker";
import { Beats, beatSilenceMs } from "./beats.ts";
import { Connection } from "./connection.ts";
import { RedisConsumer, type RedisConsumerOptions } from "./consumer.ts";
import { RedisControlBus } from "./control-bus.ts";
import { DeliveryTags } from "./envelope.ts";
import { FailoverWatch } from "./failover-watch.ts";
import { LeaseKeepers, type LeaseKeeper } from "./lease-keeper.ts";
import { RedisLeaseStore } from "./lease-store.ts";
import { LocalDelays } from "./local-delays.ts";
import { openInsistently } from "./open-insistently.ts";
import type { Settings } from "./options.ts";
import { OutageLog } from "./outage-log.ts";
import { processName } from "./process-name.ts";
import { Publisher } from "./publisher.ts";
import { Queues } from "./queues.ts";
import { RedisScheduleStore } from "./schedule-store.ts";
import { checkServer } from "./server-check.ts";
import type { Store } from "./store.ts";

/** What only tests replace. */
export interface Internals {
  readonly clock: Clock;
  readonly liveness: Liveness;
  /** Starts what renews leases while the event loop stands still. */
  readonly startKeeper: (settings: Settings, logger: Logger) => LeaseKeeper;
}

/** `close()` may take 5 s in all. */
const longestCloseMs = 4500;

/** A broker between `open` and `close`: everything that has a connection. */
export class OpenBroker {
  readonly store: Store;
  readonly publisher: Publisher;
  readonly control: RedisControlBus;
  readonly leases: RedisLeaseStore;
  readonly schedules: RedisScheduleStore;
  readonly #internals: Internals;
  /** Also those that are about to begin, so that none outlives the broker. */
  readonly #consumers = new Set<Promise<RedisConsumer>>();
  #keeper: Promise<LeaseKeeper> | undefined;
  /** What the leases are renewed on. */
  #renewing: Connection | undefined;

  private constructor(store: Store, internals: Internals) {
    this.store = store;
    this.publisher = new Publisher(store);
    this.control = new RedisControlBus(store);
    this.leases = new RedisLeaseStore(store);
    this.schedules = new RedisScheduleStore(store);
    this.#internals = internals;
  }

  /** @throws BrokerError `Q1001`, `Q1002`, `Q1021`, and what `checkServer` throws */
  static async open(settings: Settings, internals: Internals, logger: Logger): Promise<OpenBroker> {
    const { clock } = internals;
    const failovers = new FailoverWatch(settings);
    const outages = new OutageLog(logger);
    let connection: Connection | undefined;
    let publishing: Connection | undefined;
    try {
      connection = await Connection.open({ settings, failovers, outages, clock, logger });
      await checkServer(connection, settings, logger);
      // A wait for replicas keeps its connection from everything else.
      publishing =
        settings.replicas === 0 ? connection : await Connection.open({ settings, failovers, outages, clock, logger });
    } catch (error) {
      failovers.close();
      connection?.close();
      publishing?.close();
      throw error;
    }
    const queues = new Queues(settings);
    const local = { queues, tags: new DeliveryTags(), delays: new LocalDelays() };
    return new OpenBroker({ settings, connection, publishing, failovers, outages, ...local, clock, logger }, internals);
  }

  async consume(
    queues: readonly string[],
    options: ConsumeOptions,
    onDelivery: (delivery: Delivery) => void,
  ): Promise<Consumer> {
    this.#forgetConsumers();
    const starting = this.#startConsumer({ ...options, queues, onDelivery });
    this.#consumers.add(starting);
    void starting.catch(() => this.#consumers.delete(starting));
    return await starting;
  }

  /** Gives back what is held and disconnects. Never throws. */
  async close(): Promise<void> {
    const { clock } = this.store;
    const done = new AbortController();
    const leaving = this.#leave().finally(() => done.abort());
    await Promise.race([leaving, sleep(clock, longestCloseMs, done.signal)]);
    this.#disconnect();
  }

  /** Lets go of everything without a word, as a process that is killed. For tests. */
  abandon(): void {
    void this.#eachConsumer((consumer) => consumer.abandon());
    void this.#closeKeeper();
    this.#disconnect();
  }

  /** Never rejects. */
  async #leave(): Promise<void> {
    await this.#eachConsumer((consumer) => consumer.leave());
    await this.#closeKeeper();
    await this.leases.releaseAll();
  }

  /** Those that have left: a worker that is paused and goes on has a new one each time. */
  #forgetConsumers(): void {
    for (const one of this.#consumers)
      void one.then(
        ({ hasLeft }) => hasLeft && this.#consumers.delete(one),
        () => undefined,
      );
  }

  /** One that could not begin has nothing to end. Never rejects. */
  async #eachConsumer(end: (consumer: RedisConsumer) => unknown): Promise<void> {
    await Promise.allSettled([...this.#consumers].map(async (starting) => await end(await starting)));
  }

  /** @throws BrokerError */
  async #startConsumer(
    options: Pick<RedisConsumerOptions, "queues" | "onDelivery" | keyof ConsumeOptions>,
  ): Promise<RedisConsumer> {
    this.#keeper ??= this.#startKeeper();
    const keeper = await this.#keeper;
    return await RedisConsumer.start(this.store, {
      ...options,
      keeper,
      process: processName(this.#internals.liveness.own),
    });
  }

  #disconnect(): void {
    this.control.close();
    this.leases.loseAll();
    this.#renewing?.close();
    this.store.connection.close();
    this.store.publishing.close();
    this.store.failovers.close();
  }

  /** Only who consumes needs it. @throws BrokerError `Q1001`, `Q1002` */
  async #startKeeper(): Promise<LeaseKeeper> {
    const { connection: main, settings, failovers, clock, logger } = this.store;
    const until = clock.monotonic() + Math.min(settings.timeoutMs, settings.leaseMs);
    const goesOn = (): boolean => clock.monotonic() < until && !main.isClosed;
    try {
      // Of its own: large messages may be on their way for longer than a lease. Of an outage the main one tells.
      const options = { settings, failovers, clock, logger: silentLogger, silenceMs: beatSilenceMs(settings) };
      const connection = await openInsistently(options, goesOn);
      this.#renewing = connection;
      if (main.isClosed) connection.close();
      // The machine may have no room for another thread.
      const thread = this.#internals.startKeeper(settings, logger);
      const beats = new Beats({ connection, settings, clock, logger, liveness: this.#internals.liveness });
      return new LeaseKeepers([beats, thread]);
    } catch (error) {
      // The next consumer tries again.
      this.#renewing?.close();
      this.#keeper = undefined;
      throw error;
    }
  }

  /** Never rejects. */
  async #closeKeeper(): Promise<void> {
    const keeper = await this.#keeper?.catch(() => undefined);
    await keeper?.close();
  }
}
