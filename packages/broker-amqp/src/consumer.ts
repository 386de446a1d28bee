import type { ConsumeMessage } from "amqplib";
import { Bag, type Consumer, type ConsumeOptions, type Delivery, type Timer } from "@q/core/broker";
import { amqpError } from "./amqp-error.ts";
import { Arrival } from "./arrival.ts";
import { AmqpDelivery } from "./delivery.ts";
import { decodeEnvelope } from "./envelope.ts";
import { HoldWatch, raiseHoldLimit } from "./hold-limit.ts";
import { Lanes } from "./lanes.ts";
import type { Link } from "./link.ts";
import type { Pauses } from "./pauses.ts";
import type { Session } from "./session.ts";
import type { Settler } from "./settler.ts";
import type { Store } from "./store.ts";
import { Suspects } from "./suspects.ts";
import { Tap } from "./tap.ts";

export interface AmqpConsumerOptions extends ConsumeOptions {
  readonly queues: readonly string[];
  readonly onDelivery: (delivery: Delivery) => void;
  readonly settler: Settler;
  readonly pauses: Pauses;
  /** Called once, when it has stopped and holds nothing any more. */
  readonly onEnd: (consumer: AmqpConsumer) => void;
}

/** How often the server is asked for a sign of life. Milliseconds. */
const beatMs = 5000;
/**
 * A quorum queue counts how often it hands a message out, and drops or buries it at its limit, which is 20 on newer servers. Long before that, the message
 * is stored anew.
 */
const renewAfterDeliveries = 10;

/** Queues consumed by this process, each on its own. */
export class AmqpConsumer implements Consumer {
  heardAt: number;
  readonly #store: Store;
  readonly #options: AmqpConsumerOptions;
  readonly #lanes: Lanes;
  readonly #taps: readonly Tap[];
  readonly #suspects: Suspects;
  readonly #stopped = new AbortController();
  /** Handed out and not settled. */
  readonly #inHand = new Bag<AmqpDelivery>();
  readonly #holdWatch: HoldWatch | undefined;
  #prefetch: number;
  /** That of all queues which have none of their own. */
  #link: Link | undefined;
  /** How many links are being tried. */
  #trials = 0;
  /** Of the channels of a consumer that has stopped. */
  #ending: Promise<unknown> | undefined;
  #stopListening: () => void = () => undefined;
  #beat: Timer | undefined;

  private constructor(store: Store, options: AmqpConsumerOptions) {
    this.#store = store;
    this.#options = options;
    this.#prefetch = options.prefetch;
    this.#lanes = new Lanes(options.queues);
    this.#taps = this.#lanes.queues.map((queue) => this.#tapOf(queue));
    this.#suspects = new Suspects(store.marks, store.logger, () => this.#onSorted());
    const { consumerTimeoutMs } = store.settings;
    if (consumerTimeoutMs !== null)
      this.#holdWatch = new HoldWatch({ ms: consumerTimeoutMs, hint: raiseHoldLimit }, store.logger);
    this.heardAt = store.clock.monotonic();
  }

  /** @throws BrokerError when one of the queues cannot be had, if that is more than that it gives no answer */
  static async start(store: Store, options: AmqpConsumerOptions): Promise<AmqpConsumer> {
    const consumer = new AmqpConsumer(store, options);
    const connection = await store.quiet();
    const link = await connection.ready();
    for (const tap of consumer.#taps) if (tap.isApart) void tap.connect();
    try {
      await consumer.#try(link, (tap) => tap.begin(link));
    } catch (error) {
      // What it consumes already goes to whoever can be stopped.
      await consumer.leave();
      throw amqpError(error, store.settings.address);
    }
    const stopConnection = connection.onLink((next) => {
      if (next !== link) void consumer.#try(next, (tap) => tap.beginAgain(next));
    });
    const stopPauses = options.pauses.onChange((queue) => void consumer.#applyPause(queue));
    consumer.#stopListening = () => {
      stopConnection();
      stopPauses();
    };
    consumer.#scheduleBeat();
    return consumer;
  }

  resize(prefetch: number): void {
    this.#prefetch = prefetch;
    this.#handOut();
    for (const tap of this.#taps) void tap.adjust();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#stopListening();
    this.#beat?.cancel();
    await Promise.all(this.#taps.map((tap) => tap.unsubscribe()));
    // Their marks are being read, and are written anew when they go back.
    await this.#suspects.done();
    await this.#giveBack(this.#lanes.takeAll());
    this.#endIfIdle();
  }

  /** Stops, and gives back what is in hand. Never rejects. */
  async leave(): Promise<void> {
    await this.stop();
    await Promise.allSettled([...this.#inHand].map((delivery) => delivery.settle({ kind: "release" })));
    // What was settled just before has its answer first.
    this.#endIfIdle();
    await this.#ending;
  }

  #tapOf(queue: string): Tap {
    return new Tap({
      queue,
      store: this.#store,
      pauses: this.#options.pauses,
      // So many turns, so many at hand at least.
      prefetch: () => this.#prefetch + this.#lanes.turnsOf(queue) - 1,
      stopped: this.#stopped.signal,
      onMessage: (session, found) => this.#onMessage(session, queue, found),
      onLost: (session) => void this.#lanes.takeFrom(session),
    });
  }

  /**
   * Begins with a link. Nothing is handed out before every queue has been tried on it: where one of them gave no answer RabbitMQ ends the link, and whatever ran
   * would be lost with it. Rejects only when `begin` does.
   */
  async #try(link: Link, begin: (tap: Tap) => Promise<void>): Promise<void> {
    this.#link = link;
    this.#trials += 1;
    const taps = this.#taps.filter((tap) => !tap.isApart);
    try {
      // Unless the next one has come meanwhile.
      for (const tap of taps) if (link === this.#link) await begin(tap);
      if (taps.some((tap) => tap.isApart)) await this.#forsake(link);
      else if (!link.lost.aborted) this.heardAt = this.#store.clock.monotonic();
    } finally {
      this.#trials -= 1;
    }
    this.#handOut();
  }

  /** Gives back what has come on a link, as what nobody died of, and gives the link up. Never rejects. */
  async #forsake(link: Link): Promise<void> {
    await Promise.all(this.#taps.filter((tap) => !tap.isApart).map((tap) => tap.unsubscribe()));
    await this.#suspects.done();
    await this.#giveBack(this.#lanes.takeAll());
    link.fail(new Error("one of its queues gave no answer"));
  }

  /** Never rejects. */
  async #applyPause(queue: string): Promise<void> {
    const tap = this.#taps.find((one) => one.queue === queue);
    if (tap === undefined) return;
    await tap.adjust();
    if (!this.#options.pauses.isPaused(queue)) return;
    await this.#suspects.done();
    await this.#giveBack(this.#lanes.take(queue));
  }

  /** Gives back what was not handed out. Never rejects: what fails goes back with its connection. */
  async #giveBack(arrivals: readonly Arrival[]): Promise<void> {
    const { settler } = this.#options;
    await Promise.allSettled(arrivals.map((arrival) => settler.settle(arrival, { kind: "release" })));
  }

  #onMessage(session: Session, queue: string, found: ConsumeMessage): void {
    this.heardAt = this.#store.clock.monotonic();
    const { deliveryTag: tag, redelivered } = found.fields;
    const handover = { queue, tag, session, redelivered, at: this.heardAt };
    const arrival = new Arrival(decodeEnvelope(found, queue), handover);
    this.#lanes.add(arrival);
    if (redelivered) this.#suspects.add(arrival);
    else this.#handOut();
  }

  /** What came back is known now. */
  #onSorted(): void {
    if (this.#stopped.signal.aborted) return;
    // Also what there is no room for: it may go back once more before there is.
    for (const arrival of this.#lanes.takeWhere(isWorn)) void this.#options.settler.renew(arrival);
    this.#handOut();
  }

  #handOut(): void {
    while (!this.#stopped.signal.aborted && this.#trials === 0 && this.#inHand.size < this.#prefetch) {
      const arrival = this.#lanes.next();
      if (arrival === undefined) return;
      if (arrival.session.lost.aborted) continue;
      const delivery: AmqpDelivery = new AmqpDelivery(arrival, {
        settler: this.#options.settler,
        onSettle: () => this.#onSettle(delivery),
      });
      this.#inHand.add(delivery);
      try {
        this.#options.onDelivery(delivery);
      } catch (error) {
        // It has promised not to; amqplib would end the connection over it, and with it all that is held.
        this.#store.logger.error({ err: error }, "whoever takes the messages of this consumer has thrown");
      }
    }
  }

  #onSettle(delivery: AmqpDelivery): void {
    this.#inHand.delete(delivery);
    this.#handOut();
    if (this.#stopped.signal.aborted) this.#endIfIdle();
  }

  #scheduleBeat(): void {
    this.#beat = this.#store.clock.setTimer(beatMs, () => void this.#askForLife());
  }

  /** Never rejects. */
  async #askForLife(): Promise<void> {
    const answers = await Promise.all([
      ...this.#taps.map((tap) => tap.isAlive()),
      this.#link?.barrier().then(
        () => true,
        () => false,
      ),
    ]);
    if (answers.includes(true)) this.heardAt = this.#store.clock.monotonic();
    this.#lookAtHolds();
    if (!this.#stopped.signal.aborted) this.#scheduleBeat();
  }

  /** Each queue brings as much as there is room for in all, so some of it may wait for longer than the server lets it be held. */
  #lookAtHolds(): void {
    const watch = this.#holdWatch;
    if (watch === undefined) return;
    const now = this.#store.clock.monotonic();
    watch.look(this.#inHand, now);
    void this.#giveBack(this.#lanes.takeWhere((arrival) => watch.waitsTooLong(arrival, now)));
  }

  /** Once nothing of a stopped consumer is held, its channels are of no use. */
  #endIfIdle(): void {
    if (this.#inHand.size > 0) return;
    this.#ending ??= Promise.all(this.#taps.map((tap) => tap.end())).then(() => this.#options.onEnd(this));
  }
}

/** What is malformed is not stored anew: it would come back as often as it is asked for, and whoever gets it buries it. */
function isWorn({ deliveries, message }: Arrival): boolean {
  return deliveries >= renewAfterDeliveries && !("malformed" in message);
}
