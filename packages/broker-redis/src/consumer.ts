import {
  PollingConsumer,
  sleep,
  type Claim,
  type Clock,
  type Consumer,
  type ConsumeOptions,
  type Delivery,
} from "@q/core/broker";
import { DueWatch } from "./due-watch.ts";
import { Holder, type HolderOptions, type Landed, type Taken } from "./holder.ts";
import type { Store } from "./store.ts";
import { Waiter } from "./waiter.ts";

/** Longest time between two looks at a queue, unless the hands are full; it also shows the watchdog that Redis answers. Milliseconds. */
const safetyPollMs = 8000;
/** Between attempts to give back what nobody here runs, after the consumer has stopped. Milliseconds. */
const giveBackAgainMs = 500;

export interface RedisConsumerOptions extends ConsumeOptions, Omit<HolderOptions, "queue"> {
  readonly queues: readonly string[];
  readonly onDelivery: (delivery: Delivery) => void;
}

interface SourceOptions extends HolderOptions {
  /** Told that a look may bring something. */
  readonly onWake: () => void;
  /** The same, when something may have landed that only this consumer can take. */
  readonly onLanded: () => void;
  /** Hands out what a wait has brought, as far as there is room, and gives back the rest. Never rejects. */
  readonly receive: (deliveries: readonly Delivery[]) => Promise<void>;
  /** How many more this queue's waits may bring together now: its part of the free hands, which need not be a whole one. */
  readonly room: () => number;
}

/** One queue of a consumer, with what wakes it. */
class Source {
  readonly holder: Holder;
  readonly #clock: Clock;
  readonly #options: SourceOptions;
  readonly #waiters: readonly Waiter[];
  readonly #watch: DueWatch;
  /** It may have something: the last look was cut short, or something woke it since. */
  mayHaveMore = true;
  /** When the last look began. Monotonic milliseconds. */
  #lookedAt: number;
  /** A wait has brought something that no look has taken yet. */
  #hasLanded = false;

  constructor(store: Store, options: SourceOptions) {
    this.#clock = store.clock;
    this.#options = options;
    this.#lookedAt = store.clock.monotonic();
    const wake = (): void => {
      this.mayHaveMore = true;
      options.onWake();
    };
    this.holder = new Holder(store, options, wake);
    this.#waiters = Array.from({ length: this.holder.lists }, (_, list): Waiter => {
      const waiter = new Waiter(store, {
        holder: this.holder,
        list,
        onLanded: (landed) => this.#land(landed, waiter),
      });
      return waiter;
    });
    this.#watch = new DueWatch(store, { keys: this.holder.keys, onChange: wake });
  }

  /** At most `share`; then it waits for more by itself, unless there is more. */
  async take(share: number): Promise<readonly Delivery[]> {
    this.mayHaveMore = false;
    this.#lookedAt = this.#clock.monotonic();
    this.#hasLanded = false;
    this.#watch.rest();
    try {
      const taken = await this.holder.take(share);
      if (taken.deliveries.length === share) this.mayHaveMore = true;
      else this.#wait(taken, share - taken.deliveries.length);
      return taken.deliveries;
    } catch (error) {
      this.mayHaveMore = true;
      throw error;
    }
  }

  /** Nobody has looked for so long that it is time for a look, whatever is known: others may have kept the consumer busy. */
  get isOverdue(): boolean {
    return this.#clock.monotonic() - this.#lookedAt >= safetyPollMs;
  }

  /** Something may have come of which nobody here has heard. */
  get hasUnheard(): boolean {
    return this.#hasLanded || this.holder.isInDoubt;
  }

  /** What came while the hands were full is for somebody else. @throws BrokerError */
  async giveBackUnheard(): Promise<void> {
    this.#hasLanded = false;
    this.mayHaveMore = true;
    await this.holder.giveBackUnheard();
  }

  /** Resolves when nothing lands any more. Never rejects. */
  async stop(): Promise<void> {
    this.#watch.stop();
    await Promise.all(this.#waiters.map((waiter) => waiter.stop()));
  }

  /** Never rejects. */
  async #land({ deliveries, mayHaveMore }: Landed, waiter: Waiter): Promise<void> {
    const received = deliveries.length === 0 ? undefined : this.#options.receive(deliveries);
    if (deliveries.length === 0) this.#hasLanded = true;
    const room = this.#options.room();
    // With full hands the next message is for somebody else.
    if (!mayHaveMore && room > 0) this.#arm(waiter, room);
    else {
      this.mayHaveMore = true;
      this.#options.onLanded();
    }
    await received;
  }

  #wait(last: Taken, room: number): void {
    this.#watch.watch(last);
    for (const waiter of this.#waiters) {
      if (last.paused) waiter.disarm();
      else this.#arm(waiter, room);
    }
  }

  /** All its waits may bring something before it hears of one. */
  #arm(waiter: Waiter, room: number): void {
    waiter.arm(Math.floor(room / this.#waiters.length));
  }
}

/** Consumes queues until it is stopped. */
export class RedisConsumer implements Consumer {
  readonly #store: Store;
  readonly #sources: readonly Source[];
  /** A queue that is named twice gets two. */
  readonly #turns: readonly Source[];
  readonly #polling: PollingConsumer;
  readonly #unlisten: () => void;
  /** Whose turn is first in the next fetch. */
  #first = 0;
  #stopping: Promise<void> | undefined;

  private constructor(store: Store, options: RedisConsumerOptions) {
    this.#store = store;
    const sources = new Map<string, Source>();
    for (const queue of new Set(options.queues)) {
      const source = new Source(store, {
        ...options,
        queue,
        onWake: () => this.#polling.wake(),
        onLanded: () => this.#onLanded(),
        receive: (deliveries) => this.#polling.receive(deliveries),
        room: () => this.#polling.room / this.#sources.length,
      });
      sources.set(queue, source);
    }
    this.#sources = [...sources.values()];
    this.#turns = options.queues.flatMap((queue) => sources.get(queue) ?? []);
    const { prefetch } = options;
    const { clock, logger } = store;
    this.#polling = new PollingConsumer(
      { prefetch, claim: (max) => this.#claim(max), safetyPollMs, clock, logger },
      options.onDelivery,
    );
    this.#unlisten = store.connection.onReconnect(() => {
      this.#polling.retry();
      this.#giveBackUnwanted();
    });
  }

  /** @throws BrokerError when the queues cannot be entered */
  static async start(store: Store, options: RedisConsumerOptions): Promise<RedisConsumer> {
    const consumer = new RedisConsumer(store, options);
    try {
      await store.connection.insist(() => Promise.all(consumer.#sources.map(({ holder }) => holder.current())));
      return consumer;
    } catch (error) {
      await consumer.stop();
      throw error;
    }
  }

  /** It has stopped, and holds nothing any more. */
  get hasLeft(): boolean {
    return this.#sources.every(({ holder }) => holder.hasLeft);
  }

  get heardAt(): number {
    return this.#polling.heardAt;
  }

  resize(prefetch: number): void {
    this.#polling.resize(prefetch);
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** Gives back what is held and ends the leases. Never throws. */
  async leave(): Promise<void> {
    await this.stop();
    await Promise.all(this.#sources.map(({ holder }) => holder.leave()));
  }

  /** Stops without a word, as a process that is killed. */
  abandon(): void {
    this.#unlisten();
    for (const source of this.#sources) {
      void source.stop();
      source.holder.abandon();
    }
    void this.#polling.stop();
  }

  async #stop(): Promise<void> {
    this.#unlisten();
    // From here on what waits bring goes back.
    const stopped = this.#polling.stop();
    await Promise.all(this.#sources.map((source) => source.stop()));
    await stopped;
    const holders = this.#sources.map(({ holder }) => holder);
    const isGivenBack = await Promise.all(holders.map((holder) => this.#giveBackUnheard(holder)));
    for (const holder of holders) holder.retire();
    holders.forEach((holder, index) => {
      if (isGivenBack[index] === false) void this.#giveBackLater(holder);
    });
  }

  #onLanded(): void {
    this.#polling.wake();
    this.#giveBackUnwanted();
  }

  /** A fetch takes along what came unheard; with full hands there is none. */
  #giveBackUnwanted(): void {
    if (this.#polling.room > 0 || this.#polling.isFetching) return;
    for (const source of this.#sources)
      if (source.hasUnheard) void this.#giveBack(source.holder.queue, () => source.giveBackUnheard());
  }

  /** Whether it could. Never rejects. */
  async #giveBack(queue: string, attempt: () => Promise<void>): Promise<boolean> {
    try {
      await attempt();
      return true;
    } catch (error) {
      this.#store.logger.debug({ err: error, queue }, "what came unheard goes back later");
      return false;
    }
  }

  #giveBackUnheard(holder: Holder): Promise<boolean> {
    return this.#giveBack(holder.queue, () => holder.giveBackUnheard());
  }

  /** When it stopped in an outage: what still runs may keep the lease for days, and nobody else gets what is held under it. Never rejects. */
  async #giveBackLater(holder: Holder): Promise<void> {
    const { clock, connection } = this.#store;
    for (;;) {
      await sleep(clock, giveBackAgainMs);
      if (!holder.isThere || connection.isClosed || (await this.#giveBackUnheard(holder))) return;
    }
  }

  async #claim(max: number): Promise<Claim> {
    try {
      return await this.#take(max);
    } finally {
      // By then the hands may be full, and something have landed meanwhile.
      setImmediate(() => this.#giveBackUnwanted());
    }
  }

  /** Asks the queues that may have something, each for its share, until `max` are there or nobody has more. */
  async #take(max: number): Promise<Claim> {
    const isKnown = this.#sources.some(({ mayHaveMore }) => mayHaveMore);
    for (const source of this.#sources) if (!isKnown || source.isOverdue) source.mayHaveMore = true;
    const deliveries: Delivery[] = [];
    for (;;) {
      const results = await Promise.allSettled(
        [...this.#shares(max - deliveries.length)].map(([source, share]) => source.take(share)),
      );
      let failure: PromiseRejectedResult | undefined;
      for (const result of results) {
        if (result.status === "rejected") failure = result;
        else deliveries.push(...result.value);
      }
      // What the others brought is ours already and must be handed out; the next fetch meets the error again.
      if (failure !== undefined && deliveries.length === 0) throw failure.reason;
      if (failure !== undefined || deliveries.length >= max) return { deliveries };
      if (!this.#sources.some(({ mayHaveMore }) => mayHaveMore)) return { deliveries };
    }
  }

  /** As many as each queue that may have something gets when they are served in turns, from the one on whose turn it is. */
  #shares(max: number): ReadonlyMap<Source, number> {
    const inTurn = [...this.#turns.slice(this.#first), ...this.#turns.slice(0, this.#first)];
    const asked = inTurn.filter(({ mayHaveMore }) => mayHaveMore);
    const [each, rest] = [Math.floor(max / asked.length), max % asked.length];
    this.#first = (this.#first + rest) % this.#turns.length;
    const shares = new Map<Source, number>();
    asked.forEach((source, turn) => {
      const share = each + (turn < rest ? 1 : 0);
      if (share > 0) shares.set(source, (shares.get(source) ?? 0) + share);
    });
    return shares;
  }
}
