import { AsyncResource } from "node:async_hooks";
import type { Broker, Consumer } from "../broker/broker.ts";
import type { Delivery } from "../broker/delivery.ts";
import { atMost, type Clock } from "../clock.ts";
import type { Logger } from "../logger.ts";
import type { Prefetch } from "./prefetch.ts";
import { Relief } from "./relief.ts";
import type { Slots } from "./slots.ts";

export interface IntakeOptions {
  readonly broker: Broker;
  readonly queues: readonly string[];
  readonly prefetch: Prefetch;
  readonly slots: Slots;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Gives one delivery back that has not started. Never rejects. */
  readonly release: (delivery: Delivery) => Promise<unknown>;
}

/** A broker that is gone must not keep a worker from pausing or stopping. */
const mostWaitMs = 5000;

/** A worker's tap: opened, messages flow into its slots; closed, what has not started goes back. */
export class Intake {
  readonly #options: IntakeOptions;
  /** A handler may resume its worker, and its context must not go on in all that is run from then on. */
  readonly #home = new AsyncResource("Intake");
  readonly #relief: Relief;
  #consumer: Consumer | undefined;
  #prefetch = 0;
  /** What was asked for last, though its turn may not have come. */
  #isWanted = false;
  /** Of the last consumer that was had. */
  #heardAt = 0;
  /** Grows with each closing: what an older consumer still brings goes back. */
  #generation = 0;
  /** The last opening or closing. They take turns, in the order in which they were called. */
  #turn: Promise<void> = Promise.resolve();
  /** What waited for a slot went back, and nothing is taken until one is free. */
  #hasGivenBack = false;

  constructor(options: IntakeOptions) {
    this.#options = options;
    const { slots, clock } = options;
    this.#relief = new Relief({ slots, clock, onStuck: () => this.#giveBack() });
  }

  /**
   * `Consumer.heardAt`; `undefined` while nothing can be expected of the broker: closed, or every slot taken. It stands still while a consumer
   * is wanted and cannot be had.
   */
  get heardAt(): number | undefined {
    if (!this.#isWanted || this.#options.slots.free <= 0) return undefined;
    return this.#consumer?.heardAt ?? this.#heardAt;
  }

  /** @throws BrokerError when the broker cannot be reached */
  open(): Promise<void> {
    this.#isWanted = true;
    return this.#inTurn(async () => {
      if (this.#consumer !== undefined || !this.#isWanted) return;
      const { broker, queues, prefetch, slots, release } = this.#options;
      const generation = this.#generation;
      slots.go();
      this.#prefetch = prefetch.size;
      const onDelivery = (delivery: Delivery): void => {
        if (generation !== this.#generation) return void release(delivery);
        slots.offer(delivery);
        if (!prefetch.isWanted) this.#relief.watch();
        this.adjust();
      };
      const options = { prefetch: this.#prefetch };
      const consumer = await this.#home.runInAsyncScope(() => broker.consume(queues, options, onDelivery));
      if (generation === this.#generation) this.#consumer = consumer;
      else await consumer.stop();
    });
  }

  /** Nothing starts any more from this call on. Resolves when what had not started is given back, after 10 s at most. Never rejects. */
  close(): Promise<void> {
    this.#relief.stop();
    this.#hasGivenBack = false;
    return this.#close();
  }

  /** To be called when a slot is free. */
  onFree(): void {
    if (!this.#hasGivenBack) return;
    this.#hasGivenBack = false;
    this.open().catch((error: unknown) => {
      // The watchdog tries again.
      this.#options.logger.warn({ err: error }, "messages cannot be taken again, now that a slot is free");
    });
  }

  #giveBack(): void {
    // It is being closed: then it is to stay so.
    if (!this.#isWanted) return;
    const { slots, logger } = this.#options;
    this.#hasGivenBack = true;
    logger.debug({ messages: slots.waiting }, "all slots are taken for long; what waits for one goes back");
    void this.#close();
  }

  #close(): Promise<void> {
    const { slots, clock, release } = this.#options;
    slots.hold();
    this.#isWanted = false;
    // An opening that got no answer yet must not keep this one waiting; should the answer come after all, it is of an older generation.
    const before = atMost(clock, mostWaitMs, this.#turn);
    this.#turn = before.then(async () => {
      const consumer = this.#consumer;
      this.#consumer = undefined;
      if (consumer !== undefined) {
        this.#heardAt = consumer.heardAt;
        await atMost(clock, mostWaitMs, consumer.stop());
      }
      this.#generation += 1;
      // Each goes to the head, so the last one goes first.
      const unstarted = slots.takeUnstarted().toReversed();
      await atMost(clock, mostWaitMs, Promise.all(unstarted.map(release)));
    });
    return this.#turn;
  }

  /**
   * Asks for more or fewer messages at a time, after the tasks have proved shorter or longer than thought. Suspects that wait for their turn come
   * on top: they may have to wait long, and must not keep the slots empty meanwhile.
   */
  adjust(): void {
    const { prefetch, slots } = this.#options;
    const size = prefetch.size + slots.waitingSuspects;
    // Small changes are not worth a call to the broker.
    if (this.#consumer === undefined || Math.abs(size - this.#prefetch) * 4 <= this.#prefetch) return;
    this.#prefetch = size;
    this.#consumer.resize(size);
  }

  #inTurn(action: () => Promise<void>): Promise<void> {
    const result = this.#turn.then(action);
    // The next turn does not care how this one ended.
    this.#turn = result.catch(() => undefined);
    return result;
  }
}
