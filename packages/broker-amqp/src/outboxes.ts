import type { Timer } from "@q/core/broker";
import type { Connection } from "./connection.ts";
import { Outbox, type Failures, type OutboxOptions, type SendOptions } from "./outbox.ts";
import type { Consignment } from "./parcel.ts";

export interface OutboxesOptions extends OutboxOptions {
  /** Told of a connection that is there for one queue alone from now on. */
  readonly onApart: (connection: Connection) => void;
}

/** What takes a message in. */
type Target = string;

interface Placed {
  readonly consignment: Consignment;
  readonly position: number;
}

/** A part of the time for an answer: it must not be over before what waits has left. */
const partOfTimeout = 1 / 4;

/**
 * The outbox of all queues, and those of queues that are stuck. A quorum queue without a majority confirms nothing, and after some 32 messages for it RabbitMQ reads
 * nothing more from the connection on which they came, whoever they are for. So when a message has had no answer for a while, its queue keeps that connection for
 * itself, and all others get a new one.
 */
export class Outboxes {
  readonly #options: OutboxesOptions;
  readonly #apart = new Map<Target, Outbox>();
  #shared: Outbox;
  #watch: Timer | undefined;
  /** What had waited for longest at the last look. */
  #longestSent: Consignment | undefined;

  constructor(options: OutboxesOptions) {
    this.#options = options;
    this.#shared = new Outbox(options);
  }

  /** As that of an outbox. */
  send(consignments: readonly Consignment[], options: SendOptions = {}): Promise<Failures> {
    this.#watch ??= this.#lookLater();
    return this.#apart.size === 0 ? this.#shared.send(consignments, options) : this.#sendEach(consignments, options);
  }

  /** Gives up on everything. */
  close(): void {
    this.#watch?.cancel();
    for (const outbox of [this.#shared, ...this.#apart.values()]) outbox.close();
  }

  async #sendEach(consignments: readonly Consignment[], options: SendOptions): Promise<Failures> {
    const parts = new Map<Outbox, Placed[]>();
    for (const [position, consignment] of consignments.entries()) {
      const outbox = this.#apart.get(targetOf(consignment)) ?? this.#shared;
      const part = parts.get(outbox);
      if (part === undefined) parts.set(outbox, [{ consignment, position }]);
      else part.push({ consignment, position });
    }
    const sending = [...parts].map(async ([outbox, part]) => {
      const failures = await outbox.send(
        part.map(({ consignment }) => consignment),
        options,
      );
      return part.flatMap(({ position }, at) => {
        const failure = failures.get(at);
        return failure === undefined ? [] : [[position, failure] as const];
      });
    });
    return new Map((await Promise.all(sending)).flat());
  }

  #lookLater(): Timer {
    const { clock, timeoutMs } = this.#options;
    return clock.setTimer(timeoutMs * partOfTimeout, () => this.#look());
  }

  #look(): void {
    const { longestSent, hasAnswers } = this.#shared;
    const isStuck = longestSent !== undefined && longestSent === this.#longestSent;
    this.#longestSent = longestSent;
    // When the new connection brings no answer either it is the server that is slow, and not a queue.
    if (isStuck && (hasAnswers || this.#apart.size === 0)) this.#setApart(longestSent);
    // With the next send, when nothing is on its way.
    this.#watch = longestSent === undefined ? undefined : this.#lookLater();
  }

  #setApart(stuck: Consignment): void {
    const { connection, logger, onApart } = this.#options;
    const own = connection.detach();
    if (own === undefined) return;
    onApart(own);
    const target = targetOf(stuck);
    const outbox = this.#shared;
    this.#apart.set(target, outbox);
    this.#shared = new Outbox(this.#options);
    this.#shared.takeOver(outbox.moveTo(own, (consignment) => targetOf(consignment) === target));
    logger.warn(
      { queue: target },
      "RabbitMQ confirms no messages for a queue; it has a connection of its own from now on, so that it keeps no other from being sent to",
    );
  }
}

/** Of delayed messages it is the exchange in front of the queues that they wait in. */
function targetOf({ exchange, routingKey }: Consignment): Target {
  return exchange === "" ? routingKey : exchange;
}
