import type { Broker, Consumer } from "../broker/broker.ts";
import type { Delivery } from "../broker/delivery.ts";
import { atMost, type Clock } from "../clock.ts";
import type { Prefetch } from "./prefetch.ts";
import type { Slots } from "./slots.ts";

export interface IntakeOptions {
  readonly broker: Broker;
  readonly queues: readonly string[];
  readonly prefetch: Prefetch;
  readonly slots: Slots;
  readonly clock: Clock;
  /** Gives one delivery back that has not started. Never rejects. */
  readonly release: (delivery: Delivery) => Promise<unknown>;
}

/** A broker that is gone must not keep a worker from pausing or stopping. */
const mostWaitMs = 5000;

/** A worker's tap: opened, messages flow into its slots; closed, what has not started goes back. */
export class Intake {
  readonly #options: IntakeOptions;
  #consumer: Consumer | undefined;
  #prefetch = 0;
  /** The last opening or closing. They take turns, in the order in which they were called. */
  #turn: Promise<void> = Promise.resolve();

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** `Consumer.heardAt`; `undefined` while nothing can be expected of the broker: closed, or every slot taken. */
  get heardAt(): number | undefined {
    return this.#options.slots.free > 0 ? this.#consumer?.heardAt : undefined;
  }

  /** @throws BrokerError when the broker cannot be reached */
  open(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#consumer !== undefined) return;
      const { broker, queues, prefetch, slots } = this.#options;
      slots.go();
      this.#prefetch = prefetch.size;
      this.#consumer = await broker.consume(queues, { prefetch: this.#prefetch }, (delivery) => slots.offer(delivery));
    });
  }

  /** Nothing starts any more from this call on. Resolves when what had not started is given back, after 10 s at most. Never rejects. */
  close(): Promise<void> {
    const { slots, clock, release } = this.#options;
    slots.hold();
    return this.#inTurn(async () => {
      const consumer = this.#consumer;
      this.#consumer = undefined;
      if (consumer !== undefined) await atMost(clock, mostWaitMs, consumer.stop());
      // Each goes to the head, so the last one goes first.
      const unstarted = slots.takeUnstarted().toReversed();
      await atMost(clock, mostWaitMs, Promise.all(unstarted.map(release)));
    });
  }

  /** Asks for more or fewer messages at a time, after the tasks have proved shorter or longer than thought. */
  adjust(): void {
    const { size } = this.#options.prefetch;
    // Small changes are not worth a call to the broker.
    if (Math.abs(size - this.#prefetch) * 4 <= this.#prefetch) return;
    this.#prefetch = size;
    this.#consumer?.resize(size);
  }

  #inTurn(action: () => Promise<void>): Promise<void> {
    const result = this.#turn.then(action);
    // The next turn does not care how this one ended.
    this.#turn = result.catch(() => undefined);
    return result;
  }
}
