import {
  type Clock,
  type ConsumeOptions,
  type Consumer,
  type Delivery,
  type Liveness,
  type Logger,
  sleep,
} from "@q/core/broker";
import { Ballast } from "./ballast.ts";
import { Bell } from "./bell.ts";
import { Connection } from "./connection.ts";
import { SqliteConsumer } from "./consumer.ts";
import { SqliteControlBus } from "./control-bus.ts";
import { GroupCommit } from "./group-commit.ts";
import { SqliteLeaseStore } from "./lease-store.ts";
import type { Settings } from "./options.ts";
import { Publisher } from "./publisher.ts";
import { Queues } from "./queues.ts";
import { Recovery } from "./recovery.ts";
import { SqliteScheduleStore } from "./schedule-store.ts";
import { Sequence } from "./sequence.ts";
import { Session } from "./session.ts";
import { Settler } from "./settle.ts";
import { loadSqliteDriver, type SqliteDriver } from "./sqlite-driver.ts";
import type { Store } from "./store.ts";

/** What only tests replace. */
export interface Internals {
  readonly clock: Clock;
  readonly liveness: Liveness;
  /** How often to look for dead processes. Milliseconds. */
  readonly sweepEveryMs: number;
  /** Wait after the second crash of a message. Milliseconds. */
  readonly crashDelayMs: number;
  /** How long a process that cannot be seen may be silent. Milliseconds. */
  readonly silenceMs: number;
  readonly beatEveryMs: number;
  /** How often to look for changes that nobody rang for. Milliseconds. */
  readonly safetyPollMs: number;
  /** Default: as `loadSqliteDriver` finds it. */
  readonly driver?: SqliteDriver;
}

/** `close()` may take 5 s in all. */
const longestCloseMs = 4500;

/** A broker between `open` and `close`: everything that has a connection. */
export class OpenBroker {
  readonly store: Store;
  readonly publisher: Publisher;
  readonly control: SqliteControlBus;
  readonly leases: SqliteLeaseStore;
  readonly schedules: SqliteScheduleStore;
  readonly #recovery: Recovery;
  /** Also those that are about to begin, so that none outlives the broker. */
  readonly #consumers = new Set<Promise<SqliteConsumer>>();

  private constructor(store: Store, recovery: Recovery) {
    this.store = store;
    this.publisher = new Publisher(store);
    this.control = new SqliteControlBus(store);
    this.leases = new SqliteLeaseStore(store);
    this.schedules = new SqliteScheduleStore(store);
    this.#recovery = recovery;
  }

  /** @throws BrokerError as `Connection.open`, `Q1005` */
  static async open(settings: Settings, internals: Internals, logger: Logger): Promise<OpenBroker> {
    const { path, address, lockTimeoutMs, durable } = settings;
    const { clock, liveness } = internals;
    const driver = internals.driver ?? (await loadSqliteDriver());
    const connection = await Connection.open({ path, address, driver, clock, logger, lockTimeoutMs });
    const ballast = new Ballast({ path: `${path}-ballast`, clock, logger });
    ballast.hasRoom();
    const bell = new Bell({ path: `${path}-bell`, connection, clock, logger, safetyPollMs: internals.safetyPollMs });
    const sequence = new Sequence(connection);
    const commits = new GroupCommit({
      connection,
      ballast,
      clock,
      timeoutMs: lockTimeoutMs,
      durable,
      onBegin: () => sequence.begin(),
      onRing: () => bell.ring(),
    });
    const session = new Session({ connection, commits, sequence, liveness });
    const recovery = new Recovery({ ...internals, connection, commits, session, logger });
    const store: Store = {
      connection,
      commits,
      sequence,
      session,
      settler: new Settler({ connection, commits, sequence, clock }),
      bell,
      clock,
      logger,
      queues: new Queues(connection),
    };
    try {
      await session.join();
      await recovery.start();
    } catch (error) {
      connection.close();
      throw error;
    }
    return new OpenBroker(store, recovery);
  }

  async consume(
    queues: readonly string[],
    options: ConsumeOptions,
    onDelivery: (delivery: Delivery) => void,
  ): Promise<Consumer> {
    const onStop = (): void => void this.#consumers.delete(starting);
    const starting = SqliteConsumer.start(this.store, { queues, ...options, onDelivery, onStop });
    this.#consumers.add(starting);
    void starting.catch(onStop);
    return starting;
  }

  /** Gives back what is held and disconnects. Never throws. */
  async close(): Promise<void> {
    const { clock, logger } = this.store;
    const done = new AbortController();
    const leaving = this.#leave()
      .catch((error: unknown) =>
        logger.warn({ err: error }, "could not leave in good order; what was held goes back when this process ends"),
      )
      .finally(() => done.abort());
    await Promise.race([leaving, sleep(clock, longestCloseMs, done.signal)]);
    this.#disconnect();
  }

  /** Lets go of everything without a word, as a process that is killed. For tests. */
  abandon(): void {
    void this.#stopConsumers();
    void this.#recovery.stop();
    this.#disconnect();
  }

  async #leave(): Promise<void> {
    const { session, commits, connection } = this.store;
    await this.#recovery.stop();
    this.control.close();
    await this.#stopConsumers();
    await session.leave();
    await commits.drain();
    connection.checkpoint();
  }

  /** One that could not begin has nothing to stop. */
  async #stopConsumers(): Promise<void> {
    await Promise.allSettled([...this.#consumers].map(async (starting) => (await starting).stop()));
  }

  #disconnect(): void {
    const { session, commits, bell, connection, logger } = this.store;
    this.control.close();
    this.leases.loseAll();
    session.loseHeld();
    commits.abandon();
    bell.close();
    try {
      connection.close();
    } catch (error) {
      logger.warn({ err: error }, "closing the database failed");
    }
  }
}
