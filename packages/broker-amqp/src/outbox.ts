import type { ConfirmChannel } from "amqplib";
import { Bag, type Clock, type Logger, type PublishRejected, type PublishUnknown } from "@q/core/broker";
import { isRefusal } from "./amqp-error.ts";
import { channelRefusal } from "./channel-refusal.ts";
import type { Connection } from "./connection.ts";
import type { Link } from "./link.ts";
import { misfitOf, Parcel, type Consignment, type Returned } from "./parcel.ts";

/** Most messages, and bytes, that wait for their confirms at a time. The rest waits here: amqplib's own buffer has no bound. */
const windowSize = 1000;
const windowBytes = 8 * 1024 * 1024;
const firstRetryMs = 50;
const longestRetryMs = 1000;

/** Why each message failed, by its position. */
export type Failures = ReadonlyMap<number, PublishRejected | PublishUnknown>;

export interface SendOptions {
  /** Aborts when nobody waits any longer. Who gives none waits for the usual time. */
  readonly signal?: AbortSignal;
}

export interface OutboxOptions {
  readonly connection: Connection;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long a message may wait for its confirm. Milliseconds. */
  readonly timeoutMs: number;
  /** Called on each new link before anything is sent on it again, with what waits. Answers what cannot be sent, and why. */
  readonly prepare: (link: Link, waiting: Iterable<Consignment>) => Promise<ReadonlyMap<Consignment, PublishRejected>>;
}

/**
 * Sends messages and sees to their confirms. What the end of a connection leaves without an answer is sent again on the next one, in its order, marked;
 * what the server refuses is sent again after a pause. At the end of its time each message gets an answer, whatever is known by then.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  /** What cannot be sent at once. */
  readonly #waiting = new Set<Parcel>();
  readonly #sent = new Bag<Parcel>();
  #sends = 0;
  #sentBytes = 0;
  #channel: ConfirmChannel | undefined;
  #link: Link | undefined;
  #isFull = false;
  #hasAnswers = false;
  #connection: Connection;
  #stopListening: () => void;

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#connection = options.connection;
    this.#stopListening = this.#listen();
  }

  /** Whether the server has ever answered. */
  get hasAnswers(): boolean {
    return this.#hasAnswers;
  }

  /** What has waited for longest of what was sent, while the server takes in messages. */
  get longestSent(): Consignment | undefined {
    if (this.#link?.blockedBecause !== undefined) return undefined;
    let first: Parcel | undefined;
    for (const parcel of this.#sent) if (parcel.sentAs < (first?.sentAs ?? Infinity)) first = parcel;
    return first?.consignment;
  }

  /** Resolves when each of the messages has an answer. Never rejects, never hangs. */
  send(consignments: readonly Consignment[], { signal }: SendOptions = {}): Promise<Failures> {
    if (consignments.length === 0) return Promise.resolve(new Map());
    return new Promise((resolve) => {
      const failures = new Map<number, PublishRejected | PublishUnknown>();
      let left = consignments.length;
      const parcels = consignments.map(
        (consignment, position) =>
          new Parcel(consignment, (failure) => {
            if (failure !== undefined) failures.set(position, failure);
            left -= 1;
            if (left > 0) return;
            stopWaiting();
            resolve(failures);
          }),
      );
      const stopWaiting = this.#limit(() => this.#giveUp(parcels), signal);
      for (const parcel of parcels) this.#begin(parcel);
    });
  }

  /**
   * Keeps the link that it has, and what was sent on it: they are this connection's from now on.
   * @returns what has not been sent and is not its own
   */
  moveTo(connection: Connection, isOwn: (consignment: Consignment) => boolean): readonly Parcel[] {
    this.#stopListening();
    this.#connection = connection;
    this.#stopListening = this.#listen();
    const others = [...this.#waiting].filter(({ consignment }) => !isOwn(consignment));
    for (const parcel of others) this.#waiting.delete(parcel);
    return others;
  }

  /** Sends what another one has not sent, whose senders wait as before. */
  takeOver(parcels: readonly Parcel[]): void {
    for (const parcel of parcels) this.#begin(parcel);
  }

  /** Gives up on everything. */
  close(): void {
    this.#giveUp([...this.#sent, ...this.#waiting]);
  }

  /** Calls `onEnd` when the time is over, or the signal says so; answers how to call that off. */
  #limit(onEnd: () => void, signal: AbortSignal | undefined): () => void {
    const { clock, timeoutMs } = this.#options;
    if (signal === undefined) {
      const timer = clock.setTimer(timeoutMs, onEnd, { keepAlive: true });
      return () => timer.cancel();
    }
    if (signal.aborted) queueMicrotask(onEnd);
    else signal.addEventListener("abort", onEnd, { once: true });
    return () => signal.removeEventListener("abort", onEnd);
  }

  #listen(): () => void {
    return this.#connection.onLink((link) => {
      if (link !== this.#link) void this.#open(link);
    });
  }

  async #open(link: Link): Promise<void> {
    link.lost.addEventListener("abort", () => this.#onLost(link), { once: true });
    try {
      const channel = await link.confirmChannel();
      channel.on("return", (returned) => this.#onReturn(returned));
      channel.on("drain", () => {
        this.#isFull = false;
        this.#pump();
      });
      link.whenUnblocked(() => this.#pump());
      const hindered = await this.#options.prepare(
        link,
        [...this.#waiting].map(({ consignment }) => consignment),
      );
      if (link.lost.aborted) return;
      this.#reject((consignment) => hindered.get(consignment));
      this.#link = link;
      this.#channel = channel;
      this.#isFull = false;
      this.#pump();
    } catch (error) {
      link.fail(error);
    }
  }

  #onLost(link: Link): void {
    if (this.#link !== link) return;
    this.#link = undefined;
    this.#channel = undefined;
    const sent = this.#inOrder();
    for (const parcel of sent) this.#sent.delete(parcel);
    const refusal = channelRefusal(link.lost.reason);
    const again = sent.filter((parcel) => !parcel.isDone);
    for (const parcel of again) if (refusal?.concerns(parcel.consignment) !== true) parcel.answerLost();
    const behind = [...this.#waiting];
    this.#sentBytes = 0;
    this.#waiting.clear();
    for (const parcel of [...again, ...behind]) this.#waiting.add(parcel);
    // Sent again, they would end the next channel too.
    this.#reject((consignment) => (refusal?.concerns(consignment) === true ? refusal.error : undefined));
  }

  /** Answers what waits in vain. */
  #reject(reasonFor: (consignment: Consignment) => PublishRejected | undefined): void {
    for (const parcel of this.#waiting) {
      const reason = reasonFor(parcel.consignment);
      if (reason === undefined) continue;
      this.#waiting.delete(parcel);
      parcel.reject(reason);
    }
  }

  /** What has been sent, as it was sent. */
  #inOrder(): readonly Parcel[] {
    return [...this.#sent].toSorted((one, other) => one.sentAs - other.sentAs);
  }

  #onReturn(returned: Returned): void {
    let first: Parcel | undefined;
    for (const parcel of this.#sent)
      if (parcel.sentAs < (first?.sentAs ?? Infinity) && parcel.mayBeReturned(returned)) first = parcel;
    first?.returned();
  }

  #begin(parcel: Parcel): void {
    const channel = this.#waiting.size === 0 ? this.#channelFor(parcel) : undefined;
    if (channel === undefined) this.#waiting.add(parcel);
    else this.#send(parcel, channel);
  }

  #pump(): void {
    for (const parcel of this.#waiting) {
      const channel = this.#channelFor(parcel);
      if (channel === undefined) return;
      this.#waiting.delete(parcel);
      if (!parcel.isDone) this.#send(parcel, channel);
    }
  }

  /** None while it is to wait. */
  #channelFor({ bytes }: Parcel): ConfirmChannel | undefined {
    if (this.#isFull || this.#link?.blockedBecause !== undefined || this.#sent.size >= windowSize) return undefined;
    if (this.#sentBytes > 0 && this.#sentBytes + bytes > windowBytes) return undefined;
    return this.#channel;
  }

  #send(parcel: Parcel, channel: ConfirmChannel): void {
    try {
      this.#isFull = !parcel.sendOn(channel, (error) => this.#onAnswer(parcel, channel, error));
    } catch (error) {
      const misfit = misfitOf(error);
      if (misfit !== undefined) parcel.reject(misfit);
      else {
        // The channel has just ended; the link follows.
        this.#waiting.add(parcel);
        this.#link?.fail(error);
      }
      return;
    }
    parcel.sentAs = this.#sends += 1;
    this.#sent.add(parcel);
    this.#sentBytes += parcel.bytes;
  }

  #onAnswer(parcel: Parcel, channel: ConfirmChannel, error: unknown): void {
    // Of the end of its channel the link tells, a moment before this or after.
    if (channel !== this.#channel || (error !== null && !isRefusal(error))) return;
    this.#hasAnswers = true;
    this.#sent.delete(parcel);
    this.#sentBytes -= parcel.bytes;
    if (error === null) parcel.confirmed();
    else this.#refused(parcel);
    this.#pump();
  }

  #refused(parcel: Parcel): void {
    parcel.refused();
    const pauseMs = Math.min(longestRetryMs, firstRetryMs * 2 ** parcel.refusals);
    this.#options.clock.setTimer(pauseMs, () => {
      if (parcel.isDone) return;
      this.#waiting.add(parcel);
      this.#pump();
    });
  }

  #giveUp(parcels: readonly Parcel[]): void {
    const blockedBecause = this.#link?.blockedBecause;
    const { obstacle } = this.#connection;
    for (const parcel of parcels) {
      this.#waiting.delete(parcel);
      parcel.giveUp({ blockedBecause, obstacle });
    }
  }
}
