import assert from "node:assert/strict";
import type { BrokerMessage, Consumer, Delivery, MalformedMessage, Outcome } from "@q/core/broker";
import { letPass, within } from "./wait.ts";

export interface InboxOptions {
  /** Milliseconds to wait for a delivery. */
  readonly withinMs: number;
  /** Milliseconds to wait to see that none comes. */
  readonly quietMs: number;
}

/** Collects what a consumer is handed, until a check takes it out. */
export class Inbox {
  /** Everything that ever came, in order. */
  readonly received: Delivery[] = [];
  /** Runs on each delivery, as it comes. What goes wrong in it, fails the next wait. */
  onDelivery: ((delivery: Delivery) => Promise<unknown> | void) | undefined;
  readonly #options: InboxOptions;
  #taken = 0;
  #arrived: () => void = () => undefined;
  #consumer: Consumer | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(options: InboxOptions) {
    this.#options = options;
  }

  readonly add = (delivery: Delivery): void => {
    this.received.push(delivery);
    this.#arrived();
    this.onDelivery?.(delivery)?.catch((error: unknown) => {
      this.#failure ??= { error };
    });
  };

  get consumer(): Consumer {
    assert.ok(this.#consumer !== undefined, "consume() has not resolved yet");
    return this.#consumer;
  }

  attach(consumer: Consumer): void {
    this.#consumer = consumer;
  }

  /** The next `count` deliveries that nobody took yet. */
  async take(count: number, withinMs: number = this.#options.withinMs): Promise<Delivery[]> {
    const enough = this.#taken + count;
    await within(this.#until(enough), withinMs, `${count} deliveries arrive`).catch((error: unknown) => {
      const came = this.received.length - this.#taken;
      throw came === 0
        ? error
        : new assert.AssertionError({
            message: `${count} deliveries were due within ${withinMs} ms`,
            actual: came,
            expected: count,
          });
    });
    this.throwFailure();
    const deliveries = this.received.slice(this.#taken, enough);
    this.#taken = enough;
    return deliveries;
  }

  async takeOne(withinMs?: number): Promise<Delivery> {
    const [delivery] = await this.take(1, withinMs);
    assert.ok(delivery !== undefined);
    return delivery;
  }

  /** Fails when anything comes that was not taken. */
  async staysEmpty(forMs: number = this.#options.quietMs): Promise<void> {
    await letPass(forMs);
    this.throwFailure();
    assert.deepEqual(this.received.slice(this.#taken).map(labelOf), [], "nothing more was to be delivered");
  }

  /** Throws what went wrong in `onDelivery`. */
  throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async #until(count: number): Promise<void> {
    while (this.received.length < count) {
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
    }
  }
}

/** The message of a delivery that must be well formed. */
export function wellFormed(delivery: Delivery): BrokerMessage {
  const { message } = delivery;
  if ("malformed" in message) assert.fail(`a sound message was delivered as malformed: ${message.malformed}`);
  return message;
}

/** The message of a delivery that must be malformed. */
export function malformed(delivery: Delivery): MalformedMessage {
  const { message } = delivery;
  if (!("malformed" in message)) assert.fail("garbage was delivered as a sound message");
  return message;
}

/** The text that a check wrote into the body, to tell its messages apart. */
export function labelOf(delivery: Delivery): string {
  return "malformed" in delivery.message ? "(malformed)" : Buffer.from(delivery.message.body).toString();
}

export function labelsOf(deliveries: readonly Delivery[]): string[] {
  return deliveries.map(labelOf);
}

/** Settles deliveries that must still be held. */
export async function settleAll(deliveries: readonly Delivery[], outcome: Outcome): Promise<void> {
  const answers = await Promise.all(deliveries.map((delivery) => delivery.settle(outcome)));
  assert.deepEqual(
    new Set(answers),
    new Set(deliveries.length === 0 ? [] : ["settled"]),
    `${outcome.kind} of held messages`,
  );
}

export async function ackAll(deliveries: readonly Delivery[]): Promise<void> {
  await settleAll(deliveries, { kind: "ack" });
}

export async function ack(delivery: Delivery): Promise<void> {
  await settleAll([delivery], { kind: "ack" });
}

/** Handles messages one after the other; answers their labels. */
export async function takeOneByOne(inbox: Inbox, count: number): Promise<string[]> {
  const labels: string[] = [];
  while (labels.length < count) {
    const delivery = await inbox.takeOne();
    labels.push(labelOf(delivery));
    await ack(delivery);
  }
  return labels;
}
