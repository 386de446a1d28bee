import { AsyncResource } from "node:async_hooks";
import { sleep, systemClock, type Clock, type Timer } from "../clock.ts";
import type { Logger } from "../logger.ts";
import type { Consumer } from "./broker.ts";
import type { Delivery, Outcome, Settled } from "./delivery.ts";

/** What one fetch brought. */
export interface Claim {
  readonly deliveries: readonly Delivery[];
  /** Milliseconds until the next delayed message is due, when the store knows of one. */
  readonly nextDueMs?: number | undefined;
}

export interface PollingConsumerOptions {
  readonly prefetch: number;
  /**
   * Takes at most `max` messages that can be delivered now, in one atomic step, and marks them as held by this consumer. Never called twice at once.
   * When it throws, it is called again after a growing pause.
   */
  readonly claim: (max: number) => Promise<Claim>;
  /** Longest time between two fetches while nothing arrives and nobody calls `wake`. Milliseconds; more than 10,000 counts as that. */
  readonly safetyPollMs: number;
  readonly logger: Logger;
  /** Default: the machine's. */
  readonly clock?: Clock;
}

const longestPauseMs = 5000;
/** `Consumer.heardAt` has to move as often, or the worker's watchdog replaces a consumer that is only idle. Milliseconds. */
const longestSilenceMs = 10_000;
/** While fetches go on failing, a line says so as often. Milliseconds. */
const saidEveryMs = 60_000;

/**
 * Turns `claim(max)` into a full consumer: prefetch, back-pressure, delayed messages, errors, stop.
 *
 * It fetches as soon as half of the prefetch is free, and at the end of the tick when less is: handlers that finish together
 * share one fetch, and a slow one does not keep a free slot waiting. While idle it does nothing but wait for `wake()`, the
 * next due time, or the safety poll.
 */
export class PollingConsumer implements Consumer {
  heardAt: number;
  readonly #options: PollingConsumerOptions;
  readonly #clock: Clock;
  readonly #onDelivery: (delivery: Delivery) => void;
  readonly #stopped = new AbortController();
  /** Whoever causes a fetch may be the handler of another message, whose context and trace must not go on in what is fetched. */
  readonly #home = new AsyncResource("PollingConsumer");
  #prefetch: number;
  #held = 0;
  #claiming: Promise<void> | undefined;
  #soon: NodeJS.Immediate | undefined;
  #timer: Timer | undefined;
  /** Something may be there: the last fetch was full, or somebody called `wake` since it began. */
  #mayHaveMore = true;
  #failures = 0;
  #saidAt = 0;
  /** After a failed fetch. */
  #pause: AbortController | undefined;

  constructor(options: PollingConsumerOptions, onDelivery: (delivery: Delivery) => void) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#prefetch = options.prefetch;
    this.#onDelivery = onDelivery;
    this.heardAt = this.#clock.monotonic();
    this.#fetchIfUseful();
  }

  /** How many more it would take now. */
  get room(): number {
    return this.#stopped.signal.aborted ? 0 : Math.max(0, this.#prefetch - this.#held);
  }

  get isFetching(): boolean {
    return this.#claiming !== undefined;
  }

  /** Tells it that a message may have become ready. Cheap; call it as often as you like. */
  wake(): void {
    this.#mayHaveMore = true;
    this.#fetchIfUseful();
  }

  /** Hands out what the store has brought, asked or not, as far as there is room; the rest goes back. Never rejects. */
  async receive(deliveries: readonly Delivery[]): Promise<void> {
    this.heardAt = this.#clock.monotonic();
    const { room } = this;
    this.#held += deliveries.length;
    const unwanted = deliveries
      .map((delivery) => new HeldDelivery(delivery, this))
      .filter((delivery, index) => index >= room || !this.#handOut(delivery));
    if (unwanted.length === 0) return;
    // They are there again.
    this.#mayHaveMore = true;
    await this.#giveBack(unwanted);
  }

  /** Tells it that the store can be reached again: ends the pause after a failed fetch. */
  retry(): void {
    this.#pause?.abort();
  }

  resize(prefetch: number): void {
    this.#prefetch = prefetch;
    this.#fetchIfUseful();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#pause?.abort();
    this.#timer?.cancel();
    if (this.#soon !== undefined) clearImmediate(this.#soon);
    await this.#claiming;
  }

  /** Called by a delivery of ours when core settles it. */
  released(): void {
    this.#held -= 1;
    this.#fetchIfUseful();
  }

  #fetchIfUseful(): void {
    const free = this.#prefetch - this.#held;
    if (free <= 0 || !this.#mayHaveMore || this.#claiming !== undefined || this.#stopped.signal.aborted) return;
    if (free * 2 >= this.#prefetch) {
      this.#fetch(free);
      return;
    }
    this.#soon ??= setImmediate(() => {
      this.#soon = undefined;
      const freeNow = this.#prefetch - this.#held;
      if (freeNow > 0 && this.#claiming === undefined && !this.#stopped.signal.aborted) this.#fetch(freeNow);
    });
  }

  #fetch(max: number): void {
    this.#timer?.cancel();
    this.#mayHaveMore = false;
    this.#claiming = this.#home.runInAsyncScope(() => this.#claimAndGoOn(max));
  }

  /** Never rejects. */
  async #claimAndGoOn(max: number): Promise<void> {
    const nextDueMs = await this.#claim(max);
    this.#claiming = undefined;
    if (this.#stopped.signal.aborted) return;
    const idleMs = Math.min(nextDueMs ?? Infinity, this.#options.safetyPollMs, longestSilenceMs);
    this.#timer = this.#clock.setTimer(idleMs, () => this.wake());
    this.#fetchIfUseful();
  }

  /** One fetch. Never rejects; answers when the next message is due. */
  async #claim(max: number): Promise<number | undefined> {
    try {
      const { deliveries, nextDueMs } = await this.#options.claim(max);
      this.#failures = 0;
      if (deliveries.length === max) this.#mayHaveMore = true;
      // There may be less room than when it was asked for: less is wanted, or something came unasked.
      await this.receive(deliveries);
      return nextDueMs;
    } catch (error) {
      this.#failures += 1;
      const pauseMs = Math.min(longestPauseMs, 100 * 2 ** Math.min(this.#failures, 10)) * (0.5 + Math.random() / 2);
      this.#say(error, pauseMs);
      await this.#rest(pauseMs);
      this.#mayHaveMore = true;
      return undefined;
    }
  }

  /** An outage is told of by its first failure, and reminded of. */
  #say(error: unknown, pauseMs: number): void {
    const { logger } = this.#options;
    const now = this.#clock.monotonic();
    const isNews = this.#failures === 1 || now - this.#saidAt >= saidEveryMs;
    if (isNews) this.#saidAt = now;
    const fields = { err: error, failures: this.#failures, pauseMs: Math.round(pauseMs) };
    logger[isNews ? "warn" : "debug"](fields, "fetching messages failed; trying again");
  }

  async #rest(pauseMs: number): Promise<void> {
    if (this.#stopped.signal.aborted) return;
    this.#pause = new AbortController();
    await sleep(this.#clock, pauseMs, this.#pause.signal);
  }

  /** `false` when it stopped meanwhile. */
  #handOut(delivery: Delivery): boolean {
    if (this.#stopped.signal.aborted) return false;
    this.#onDelivery(delivery);
    return true;
  }

  /** Nobody here runs them, so they go back as if they had never left. Never rejects. */
  async #giveBack(deliveries: readonly Delivery[]): Promise<void> {
    // Each goes to the head, so the last one goes first.
    const releases = deliveries.toReversed().map((delivery) => delivery.settle({ kind: "release" }));
    for (const release of await Promise.allSettled(releases)) {
      if (release.status === "fulfilled") continue;
      this.#options.logger.warn(
        { err: release.reason as unknown },
        "giving back a message failed; it returns when this process is gone",
      );
    }
  }
}

/** Counts its consumer's messages in hand. */
class HeldDelivery implements Delivery {
  readonly #delivery: Delivery;
  readonly #consumer: PollingConsumer;
  #settled = false;

  constructor(delivery: Delivery, consumer: PollingConsumer) {
    this.#delivery = delivery;
    this.#consumer = consumer;
  }

  get message(): Delivery["message"] {
    return this.#delivery.message;
  }

  get crashes(): number {
    return this.#delivery.crashes;
  }

  get fence(): number | undefined {
    return this.#delivery.fence;
  }

  get lost(): AbortSignal {
    return this.#delivery.lost;
  }

  start(): Promise<Settled> {
    return this.#delivery.start();
  }

  settle(outcome: Outcome): Promise<Settled> {
    if (this.#settled) return Promise.resolve("lost");
    this.#settled = true;
    const settled = this.#delivery.settle(outcome);
    // After the call: a store that batches then carries out this settle and the next fetch together.
    this.#consumer.released();
    return settled;
  }
}
