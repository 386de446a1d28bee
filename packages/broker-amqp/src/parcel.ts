import { IllegalOperationError, type ConfirmChannel } from "amqplib";
import { PublishRejected, PublishUnknown, type Baggable } from "@q/core/broker";
import type { Route } from "./delays.ts";
import { resendHeader, type Envelope } from "./envelope.ts";

/** Something to publish, and the queue that it is for in the end. */
export interface Consignment extends Route, Envelope {
  readonly queue: string;
}

/** A message that came back. */
export interface Returned {
  readonly fields: { readonly exchange: string; readonly routingKey: string };
  readonly content: Buffer;
}

/** What keeps a message that has not been sent yet. */
export interface Hindrance {
  readonly blockedBecause: string | undefined;
  /** Why there is no connection. */
  readonly obstacle: Error | undefined;
}

/**
 * One message on its way to the server.
 *
 * | state | means | next |
 * |---|---|---|
 * | waiting | not sent, or sent in vain | sent, done |
 * | sent | no confirm yet | done; waiting after a refusal or the end of the connection |
 * | done | its sender has an answer | |
 */
export class Parcel implements Baggable {
  place = 0;
  /** The number of its last sending, where they are counted: what was sent first has the lowest. */
  sentAs = 0;
  readonly consignment: Consignment;
  readonly #onDone: (failure: PublishRejected | PublishUnknown | undefined) => void;
  #isDone = false;
  #isReturned = false;
  #isUnderWay = false;
  #mayBeStored = false;
  #refusals = 0;

  constructor(consignment: Consignment, onDone: (failure: PublishRejected | PublishUnknown | undefined) => void) {
    this.consignment = consignment;
    this.#onDone = onDone;
  }

  get isDone(): boolean {
    return this.#isDone;
  }

  get bytes(): number {
    return this.consignment.content.length;
  }

  /** How often the server has said no to it. */
  get refusals(): number {
    return this.#refusals;
  }

  /** Whether the channel takes more at once. */
  sendOn(channel: ConfirmChannel, onAnswer: (error: unknown) => void): boolean {
    const { exchange, routingKey, content, options } = this.consignment;
    const marked = this.#mayBeStored ? { ...options, headers: { ...options.headers, [resendHeader]: 1 } } : options;
    this.#isReturned = false;
    const takesMore = channel.publish(exchange, routingKey, content, marked, onAnswer);
    this.#isUnderWay = true;
    return takesMore;
  }

  /** Whether this may be the message that came back because no queue was there for it: the first of those that may be is. */
  mayBeReturned({ fields, content }: Returned): boolean {
    const { exchange, routingKey, content: own } = this.consignment;
    return !this.#isReturned && fields.exchange === exchange && fields.routingKey === routingKey && own.equals(content);
  }

  /** It came back. The answer to it follows. */
  returned(): void {
    this.#isReturned = true;
  }

  /** The server has taken it, or handed it back before. */
  confirmed(): void {
    this.#isUnderWay = false;
    if (!this.#isReturned) return this.#end(undefined);
    this.#end(noQueue(this.consignment.queue));
  }

  /** The server has said no: it may say yes later. */
  refused(): void {
    this.#isUnderWay = false;
    this.#refusals += 1;
  }

  /** The connection ended before the answer. */
  answerLost(): void {
    this.#isUnderWay = false;
    this.#mayBeStored = true;
  }

  /** It cannot be sent, or not again. */
  reject(error: PublishRejected): void {
    if (!this.#mayBeStored) return this.#end(error);
    const message = `RabbitMQ has not confirmed the message, and it cannot be sent again: ${error.message}; it may be stored`;
    this.#end(new PublishUnknown("Q1102", message, { hint: error.hint, cause: error }));
  }

  /** Its sender waits no longer. */
  giveUp({ blockedBecause, obstacle }: Hindrance): void {
    if (this.#isDone) return;
    const blocked = blockedBecause === undefined ? "" : `; it takes in nothing now: ${blockedBecause}`;
    if (this.#isUnderWay || this.#mayBeStored) {
      this.#end(
        new PublishUnknown(
          "Q1102",
          `RabbitMQ has not confirmed the message in time; it may be stored${blocked}`,
          causedBy(obstacle),
        ),
      );
    } else if (this.#refusals > 0) {
      this.#end(
        new PublishRejected("Q1106", `RabbitMQ refused the message for the queue "${this.consignment.queue}"`, {
          hint: "the queue has a maximum length, or too few of its nodes are there",
        }),
      );
    } else if (blockedBecause !== undefined) {
      this.#end(
        new PublishRejected("Q1107", `RabbitMQ takes in no messages now: ${blockedBecause}`, {
          hint: "it is short of memory or disk: workers go on and make room; rabbitmq-diagnostics alarms says more",
        }),
      );
    } else {
      const message = obstacle?.message ?? "there was no time to send the message";
      this.#end(new PublishRejected("Q1001", message, causedBy(obstacle)));
    }
  }

  #end(failure: PublishRejected | PublishUnknown | undefined): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.#onDone(failure);
  }
}

/**
 * What amqplib says of a message that it cannot write, of which nothing has been sent then; `undefined` when its channel has ended. Headers may hold anything,
 * and amqplib reads some objects among them as other types of AMQP: it throws whatever comes of that.
 */
export function misfitOf(error: unknown): PublishRejected | undefined {
  if (error instanceof IllegalOperationError) return undefined;
  return new PublishRejected("Q1101", `the message does not fit into AMQP: ${(error as Error).message}`);
}

export function noQueue(queue: string): PublishRejected {
  return new PublishRejected("Q1105", `there is no queue "${queue}" that the message could go to`, {
    hint: "somebody has deleted it: the next start of a worker or producer creates it again",
  });
}

function causedBy(obstacle: Error | undefined): { readonly cause?: Error } {
  return obstacle === undefined ? {} : { cause: obstacle };
}
