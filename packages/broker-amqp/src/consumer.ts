import type { ConsumeMessage } from "amqplib";
import { Bag, sleep, type Consumer, type ConsumeOptions, type Delivery, type Timer } from "@q/core/broker";
import { amqpError } from "./amqp-error.ts";
import { Arrival } from "./arrival.ts";
import { AmqpDelivery } from "./delivery.ts";
import { decodeEnvelope } from "./envelope.ts";
import { HoldWatch, raiseHoldLimit } from "./hold-limit.ts";
import { Lanes } from "./lanes.ts";
import type { Link } from "./link.ts";
import type { Pauses } from "./pauses.ts";
import { Session } from "./session.ts";
import type { Settler } from "./settler.ts";
import type { Store } from "./store.ts";
import { Suspects } from "./suspects.ts";

export interface AmqpConsumerOptions extends ConsumeOptions {
  readonly queues: readonly string[];
  readonly onDelivery: (delivery: Delivery) => void;
  readonly settler: Settler;
  readonly pauses: Pauses;
}

/** How often the server is asked for a sign of life. Milliseconds. */
const beatMs = 5000;
/** Pauses before a queue that cannot be consumed is looked for again. Milliseconds. */
const shortestPauseMs = 500;
const longestPauseMs = 5000;
/**
 * A quorum queue counts how often it hands a message out, and drops or buries it at its limit, which is 20 on newer servers. Long before that, the message
 * is stored anew.
 */
const renewAfterDeliveries = 10;

/** Queues consumed by this process, on one session after the other. */
export class AmqpConsumer implements Consumer {
  heardAt: number;
  readonly #store: Store;
  readonly #options: AmqpConsumerOptions;
  readonly #lanes: Lanes;
  readonly #suspects: Suspects;
  readonly #stopped = new AbortController();
  /** Handed out and not settled. */
  readonly #inHand = new Bag<AmqpDelivery>();
  readonly #holdWatch: HoldWatch | undefined;
  #prefetch: number;
  #session: Session | undefined;
  /** Of the channel of a consumer that has stopped. */
  #ending: Promise<void> | undefined;
  #stopListening: () => void = () => undefined;
  #beat: Timer | undefined;
  /** Subscribing, unsubscribing and resizing take turns. */
  #turn: Promise<void> = Promise.resolve();

  private constructor(store: Store, options: AmqpConsumerOptions) {
    this.#store = store;
    this.#options = options;
    this.#prefetch = options.prefetch;
    this.#lanes = new Lanes(options.queues);
    this.#suspects = new Suspects(store.marks, store.logger, () => this.#onSorted());
    const { consumerTimeoutMs } = store.settings;
    if (consumerTimeoutMs !== null)
      this.#holdWatch = new HoldWatch({ ms: consumerTimeoutMs, hint: raiseHoldLimit }, store.logger);
    this.heardAt = store.clock.monotonic();
  }

  /** @throws BrokerError when the first session cannot be had */
  static async start(store: Store, options: AmqpConsumerOptions): Promise<AmqpConsumer> {
    const consumer = new AmqpConsumer(store, options);
    const connection = await store.quiet();
    const link = await connection.ready();
    await consumer.#begin(link).catch((error: unknown) => {
      throw amqpError(error, store.settings.address);
    });
    const stopConnection = connection.onLink((next) => {
      if (next !== link) void consumer.#beginAgain(next);
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
    const session = this.#session;
    if (session === undefined) return;
    void this.#inTurn(async () => {
      // The last size counts when several have been asked for.
      if (prefetch !== this.#prefetch || this.#isOver(session)) return;
      for (const queue of this.#lanes.queues) await this.#subscribe(session, queue);
    });
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#stopListening();
    this.#beat?.cancel();
    const session = this.#session;
    const unsubscribed = this.#inTurn(async () => {
      if (session === undefined || session.lost.aborted) return;
      await session.unsubscribe(this.#lanes.queues);
    });
    // What fails here goes back with its connection.
    await unsubscribed.catch(() => undefined);
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

  /** @throws whatever keeps it from any of the queues */
  async #begin(link: Link): Promise<void> {
    const session = await this.#openSession(link);
    for (const queue of this.#lanes.queues) await this.#consume(session, queue);
    this.heardAt = this.#store.clock.monotonic();
  }

  /** Never rejects. When it fails, the next link tries. */
  async #beginAgain(link: Link): Promise<void> {
    try {
      const session = await this.#openSession(link);
      // One that cannot be had, because it is of another shape for example, does not keep the others from going on.
      for (const queue of this.#lanes.queues)
        if (!(await this.#takeUp(session, queue))) void this.#takeUpLater(session, queue);
      if (!session.lost.aborted) this.heardAt = this.#store.clock.monotonic();
    } catch (error) {
      if (this.#stopped.signal.aborted) return;
      this.#store.logger.warn({ err: error }, "consuming could not be taken up again; connecting anew");
      link.fail(error);
    }
  }

  async #openSession(link: Link): Promise<Session> {
    const session = await Session.start(link, {
      clock: this.#store.clock,
      events: {
        onMessage: (queue, found) => this.#onMessage(session, queue, found),
        onCancelled: (queue) => void this.#onCancelled(session, queue),
      },
    });
    this.#session = session;
    session.lost.addEventListener("abort", () => this.#lanes.takeAll(), { once: true });
    return session;
  }

  #consume(session: Session, queue: string): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#stopped.signal.aborted) return;
      await this.#store.topology.ensureDelays(session.link, queue);
      await this.#store.marks.declare(queue);
      await this.#options.pauses.refresh(queue);
      session.available.add(queue);
      await this.#subscribe(session, queue);
    });
  }

  /** Whether it is done with: it is consumed, or need not be any more. Never rejects. */
  async #takeUp(session: Session, queue: string): Promise<boolean> {
    try {
      await this.#store.topology.redeclare(session.link, queue);
      await this.#consume(session, queue);
      return true;
    } catch (error) {
      if (this.#isOver(session)) return true;
      this.#store.logger.warn({ err: error, queue }, "the queue cannot be consumed yet");
      return false;
    }
  }

  /** Never rejects. */
  async #takeUpLater(session: Session, queue: string): Promise<void> {
    for (let attempt = 0; !this.#isOver(session); attempt += 1) {
      const pauseMs = Math.min(longestPauseMs, shortestPauseMs * 2 ** attempt);
      if (!(await sleep(this.#store.clock, pauseMs, this.#stopped.signal))) return;
      if (!this.#isOver(session) && (await this.#takeUp(session, queue))) return;
    }
  }

  #isOver(session: Session): boolean {
    return this.#stopped.signal.aborted || session !== this.#session || session.lost.aborted;
  }

  async #subscribe(session: Session, queue: string): Promise<void> {
    // It is looked for, and subscribed to when it is there.
    if (!session.available.has(queue)) return;
    if (this.#options.pauses.isPaused(queue)) return await session.unsubscribe([queue]);
    // So many turns, so many at hand at least.
    await session.subscribe(queue, this.#prefetch + this.#lanes.turnsOf(queue) - 1);
  }

  /** Never rejects. */
  async #applyPause(queue: string): Promise<void> {
    const session = this.#session;
    if (session === undefined || !this.#lanes.queues.includes(queue)) return;
    const applied = this.#inTurn(async () => {
      if (!this.#isOver(session)) await this.#subscribe(session, queue);
    });
    await applied.catch((error: unknown) => session.link.fail(error));
    if (!this.#options.pauses.isPaused(queue)) return;
    await this.#suspects.done();
    await this.#giveBack(this.#lanes.take(queue));
  }

  /** Gives back what was not handed out. Never rejects: what fails goes back with its connection. */
  async #giveBack(arrivals: readonly Arrival[]): Promise<void> {
    const { settler } = this.#options;
    await Promise.allSettled(arrivals.map((arrival) => settler.settle(arrival, { kind: "release" })));
  }

  /** The queue is gone, or its leader: it is looked for, and made again. Never rejects. */
  async #onCancelled(session: Session, queue: string): Promise<void> {
    session.available.delete(queue);
    this.#store.logger.warn(
      { queue },
      "RabbitMQ has ended a subscription, because somebody deleted the queue or its node stopped",
    );
    await this.#takeUpLater(session, queue);
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
    while (!this.#stopped.signal.aborted && this.#inHand.size < this.#prefetch) {
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
    const session = this.#session;
    if (session !== undefined && !session.lost.aborted) {
      try {
        await session.barrier();
        this.heardAt = this.#store.clock.monotonic();
      } catch (error) {
        this.#store.logger.debug({ err: error }, "RabbitMQ gave no sign of life");
      }
    }
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

  /** Once nothing of a stopped consumer is held, its channel is of no use. */
  #endIfIdle(): void {
    const session = this.#session;
    if (session === undefined || this.#inHand.size > 0) return;
    this.#session = undefined;
    this.#ending = session.end();
  }

  /** Never rejects: what fails ends the link, and the next one begins afresh. */
  #inTurn(action: () => Promise<void>): Promise<void> {
    const result = this.#turn.then(action);
    this.#turn = result.catch((error: unknown) => {
      this.#store.logger.debug({ err: error }, "a subscription could not be changed");
    });
    return result;
  }
}

/** What is malformed is not stored anew: it would come back as often as it is asked for, and whoever gets it buries it. */
function isWorn({ deliveries, message }: Arrival): boolean {
  return deliveries >= renewAfterDeliveries && !("malformed" in message);
}
