import type { ConsumeMessage } from "amqplib";
import { sleep } from "@q/core/broker";
import { ConnectionLost, Unanswered } from "./amqp-error.ts";
import type { Connection } from "./connection.ts";
import { isHeldTooLong, raiseHoldLimit } from "./hold-limit.ts";
import type { Link } from "./link.ts";
import type { Pauses } from "./pauses.ts";
import { Session } from "./session.ts";
import type { Store } from "./store.ts";

export interface TapOptions {
  readonly queue: string;
  readonly store: Store;
  readonly pauses: Pauses;
  /** Most messages at a time, as of now. */
  readonly prefetch: () => number;
  /** Aborts when nothing more is to come. */
  readonly stopped: AbortSignal;
  readonly onMessage: (session: Session, found: ConsumeMessage) => void;
  /** What has come in it is somebody else's now. */
  readonly onLost: (session: Session) => void;
}

/** Pauses before a queue that cannot be consumed is looked for again. Milliseconds. */
const shortestPauseMs = 500;
const longestPauseMs = 5000;

/**
 * One queue of a consumer, on one session after the other. Its sessions are on the link of all queues, until it gets no answer there: RabbitMQ ends a connection
 * on which a queue without a majority was asked for something, a minute later. Such a queue has a connection of its own from then on.
 */
export class Tap {
  readonly queue: string;
  readonly #options: TapOptions;
  #link: Link | undefined;
  #session: Session | undefined;
  /** Whether the queue was found as it is to be. To subscribe to one that is not there would end the session. */
  #isThere = false;
  #isApart: boolean;
  /** Its own. */
  #connection: Connection | undefined;
  #isLooking = false;
  /** Subscribing, unsubscribing and resizing take turns. */
  #turn: Promise<void> = Promise.resolve();

  constructor(options: TapOptions) {
    this.#options = options;
    this.queue = options.queue;
    this.#isApart = options.store.apart.has(options.queue);
  }

  /** Whether it has a connection of its own, and needs no link of others. */
  get isApart(): boolean {
    return this.#isApart;
  }

  /** @throws whatever keeps it from the queue, if that is more than that no answer comes */
  async begin(link: Link): Promise<void> {
    const { store } = this.#options;
    this.#link = link;
    try {
      await this.#consume(link);
      if (link.lost.aborted)
        throw new ConnectionLost(`the connection to RabbitMQ at ${store.settings.address} ended`, { sent: true });
    } catch (error) {
      if (!(error instanceof Unanswered)) throw error;
      this.#goApart(error);
    }
  }

  /** On the next link. Never rejects. */
  async beginAgain(link: Link): Promise<void> {
    this.#link = link;
    if (!(await this.#takeUp(link))) void this.#takeUpLater();
  }

  /** Subscribes anew as far as another size, or a pause, wants it. Never rejects. */
  async adjust(): Promise<void> {
    const session = this.#session;
    if (session === undefined) return;
    await this.#inTurn(async () => {
      if (!this.#options.stopped.aborted && !session.lost.aborted) await this.#subscribe(session);
    }).catch((error: unknown) => this.#onFailure(session, error));
  }

  /** Whether the server has shown that it is there. Never rejects. */
  async isAlive(): Promise<boolean> {
    const session = this.#session;
    if (session === undefined || session.lost.aborted) return false;
    try {
      await session.barrier();
      return true;
    } catch (error) {
      this.#options.store.logger.debug({ err: error, queue: this.queue }, "RabbitMQ gave no sign of life");
      this.#onFailure(session, error);
      return false;
    }
  }

  /** Nothing more comes on this session. Never rejects: what fails goes back with its channel. */
  async unsubscribe(): Promise<void> {
    await this.#inTurn(async () => {
      if (this.#session?.lost.aborted === false) await this.#session.unsubscribe();
    }).catch(() => undefined);
  }

  /** Lets go of channel and connection as soon as all that came is settled. For one that has stopped. Never rejects. */
  async end(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    await session?.end();
    await this.#connection?.close();
  }

  #consume(link: Link): Promise<void> {
    const { store, pauses } = this.#options;
    return this.#inTurn(async () => {
      if (this.#isOver(link)) return;
      await store.topology.delays.ensure(link, this.queue);
      await store.marks.declare(this.queue);
      await pauses.refresh(this.queue);
      this.#isThere = true;
      await this.#subscribe(await this.#openSession(link));
    });
  }

  async #openSession(link: Link): Promise<Session> {
    if (this.#session?.link === link && !this.#session.lost.aborted) return this.#session;
    const session = await Session.start(link, {
      queue: this.queue,
      clock: this.#options.store.clock,
      events: {
        onMessage: (found) => this.#options.onMessage(session, found),
        onCancelled: () => this.#onCancelled(),
      },
    });
    this.#session = session;
    if (session.lost.aborted) this.#onLost(session);
    else session.lost.addEventListener("abort", () => this.#onLost(session), { once: true });
    return session;
  }

  async #subscribe(session: Session): Promise<void> {
    // It is looked for, and subscribed to when it is there.
    if (!this.#isThere) return;
    if (this.#options.pauses.isPaused(this.queue)) await session.unsubscribe();
    else await session.subscribe(this.#options.prefetch());
  }

  /** Whether it is done with: it is consumed, or need not be any more. Never rejects. */
  async #takeUp(link: Link): Promise<boolean> {
    const { store } = this.#options;
    try {
      await store.topology.redeclare(link, this.queue);
      await this.#consume(link);
      return true;
    } catch (error) {
      if (this.#isOver(link)) return true;
      store.logger.warn({ err: error, queue: this.queue }, "the queue cannot be consumed yet");
      if (!(error instanceof Unanswered)) return false;
      // The server would end the link, which is the queue's own then.
      if (this.#isApart) link.fail(error);
      else this.#goApart(error);
      return true;
    }
  }

  /** Never rejects. */
  async #takeUpLater(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    const { store, stopped } = this.#options;
    for (let attempt = 0; ; attempt += 1) {
      const pauseMs = Math.min(longestPauseMs, shortestPauseMs * 2 ** attempt);
      if (!(await sleep(store.clock, pauseMs, stopped))) break;
      // There may be another one by now; who comes with the next begins anew.
      const link = this.#link;
      if (link === undefined || this.#isOver(link)) break;
      if ((await this.#takeUp(link)) && this.#session?.lost.aborted === false) break;
    }
    this.#isLooking = false;
  }

  #isOver(link: Link): boolean {
    return this.#options.stopped.aborted || link !== this.#link || link.lost.aborted;
  }

  /** The queue is gone, or its leader: it is looked for, and made again. */
  #onCancelled(): void {
    this.#isThere = false;
    this.#options.store.logger.warn(
      { queue: this.queue },
      "RabbitMQ has ended a subscription, because somebody deleted the queue or its node stopped",
    );
    void this.#takeUpLater();
  }

  #onFailure(session: Session, error: unknown): void {
    if (error instanceof Unanswered && !this.#isApart) this.#goApart(error);
    session.fail(error);
  }

  #onLost(session: Session): void {
    const { store, onLost } = this.#options;
    onLost(session);
    if (this.#isOver(session.link)) return;
    const reason: unknown = session.lost.reason;
    if (session.isSubscribed)
      store.logger.warn({ err: reason, queue: this.queue }, "a queue is consumed no more; it is taken up again");
    if (isHeldTooLong(reason))
      store.logger.error(
        { queue: this.queue },
        `a message was held for longer than RabbitMQ's consumer_timeout, and all of this queue that this process held goes to others: ${raiseHoldLimit}`,
      );
    void this.#takeUpLater();
  }

  #goApart(reason: Error): void {
    this.#isApart = true;
    this.#link = undefined;
    // What it holds goes back now, and not when the link that it was on ends.
    const session = this.#session;
    this.#session = undefined;
    session?.fail(reason);
    const { store } = this.#options;
    store.apart.add(this.queue);
    store.logger.warn(
      { err: reason, queue: this.queue },
      "a queue gives no answer; it has a connection of its own from now on, so that it keeps no other from running",
    );
    void this.connect();
  }

  /** For one that is apart. Never rejects. */
  async connect(): Promise<void> {
    const { store, stopped } = this.#options;
    while (!stopped.aborted) {
      try {
        const connection = await store.connect(`q consume ${this.queue}`);
        this.#connection = connection;
        if (stopped.aborted) await connection.close();
        else connection.onLink((link) => void this.beginAgain(link));
        return;
      } catch (error) {
        store.logger.debug({ err: error, queue: this.queue }, "there is no connection for it yet");
        await sleep(store.clock, longestPauseMs, stopped);
      }
    }
  }

  #inTurn(action: () => Promise<void>): Promise<void> {
    const result = this.#turn.then(action);
    // The next turn does not care how this one ended.
    this.#turn = result.catch(() => undefined);
    return result;
  }
}
