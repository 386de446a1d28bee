import { bodySize, PublishRejected, throwFailures, type BrokerMessage, type OutgoingMessage } from "@q/core/broker";
import { rejection } from "./amqp-error.ts";
import { longestDelayMs, routeFor } from "./delays.ts";
import { encodeEnvelope } from "./envelope.ts";
import { checkQueueName } from "./names.ts";
import type { Connection } from "./connection.ts";
import type { SendOptions } from "./outbox.ts";
import type { Outboxes } from "./outboxes.ts";
import type { Consignment } from "./parcel.ts";
import type { Topology } from "./topology.ts";

const longestShortText = 255;
/** RabbitMQ 4 takes no more by default, and closes the channel of whoever sends it. */
const largestBody = 16 * 1024 * 1024;

/** How a message is stored again by who has taken it. */
export interface StoreAgain extends SendOptions {
  readonly delayMs?: number;
  /** Workers that died of it so far. */
  readonly crashes?: number;
}

export interface ConsignOptions {
  readonly delayMs?: number;
  readonly crashes?: number;
  /** Whether its queue has priorities. Default: as this process has declared it. */
  readonly priorities?: boolean;
}

export interface PublisherParts {
  readonly connection: Connection;
  readonly outbox: Outboxes;
  readonly topology: Topology;
}

/** Stores messages. */
export class Publisher {
  readonly #parts: PublisherParts;

  constructor(parts: PublisherParts) {
    this.#parts = parts;
  }

  async publish(messages: readonly OutgoingMessage[]): Promise<void> {
    // All of them, before the first is stored: a message that cannot be stored then rejects the call as a whole.
    const consignments = messages.map((message) => this.consign(message, { delayMs: message.delayMs ?? 0 }));
    const delayed = consignments.filter(({ exchange }) => exchange !== "");
    if (delayed.length > 0) {
      await this.#ensureRoutes(delayed).catch((error: unknown) => {
        throw rejection(error);
      });
    }
    throwFailures(await this.#parts.outbox.send(consignments), messages.length);
  }

  /** @throws PublishRejected, PublishUnknown */
  async storeAgain(message: BrokerMessage, { delayMs = 0, crashes = 0, ...options }: StoreAgain): Promise<void> {
    const consignment = this.consign(message, { delayMs, crashes });
    if (delayMs > 0) await this.#ensureRoutes([consignment]);
    await this.send(consignment, options);
  }

  /**
   * Sends something of our own. A queue that is missing is created again, once.
   * @throws PublishRejected, PublishUnknown
   */
  async send(consignment: Consignment, options: SendOptions): Promise<void> {
    const { outbox, topology, connection } = this.#parts;
    const failures = await outbox.send([consignment], options);
    if (failures.get(0)?.code !== "Q1105") return throwFailures(failures, 1);
    await topology.redeclare(await connection.ready(), consignment.queue);
    throwFailures(await outbox.send([consignment], options), 1);
  }

  /** @throws PublishRejected `Q1101` when the store cannot hold it so that it comes back unchanged */
  consign(message: BrokerMessage, { delayMs = 0, crashes = 0, ...options }: ConsignOptions = {}): Consignment {
    const { id, queue, priority, properties, body } = message;
    checkQueueName(queue);
    if (id === "") throw unfit(`a message id of 1 to ${longestShortText} bytes`, id);
    checkShort(id);
    checkShort(properties.contentType);
    checkShort(properties.contentEncoding);
    checkShort(properties.correlationId);
    checkShort(properties.replyTo);
    if (!Number.isInteger(priority) || priority < 0 || priority > 9) throw unfit("a priority from 0 to 9", priority);
    if (!(delayMs >= 0 && delayMs <= longestDelayMs)) throw unfit(`delayMs from 0 to ${longestDelayMs}`, delayMs);
    if (bodySize(body) > largestBody) throw unfit(`a body of at most ${largestBody} bytes`, bodySize(body));
    const { priorities = this.#parts.topology.hasPriorities(queue) } = options;
    const { exchange, routingKey } = routeFor(queue, delayMs);
    const { content, options: envelope } = encodeEnvelope(message, { priorities, crashes });
    return { queue, exchange, routingKey, content, options: envelope };
  }

  /** Without a connection the outbox does so, before it sends on the next one. */
  async #ensureRoutes(delayed: readonly Consignment[]): Promise<void> {
    const { connection, topology } = this.#parts;
    for (const consignment of delayed) {
      if (!connection.isReady) return;
      if (!topology.delays.reaches(consignment))
        await topology.delays.ensureRoute(await connection.ready(), consignment);
    }
  }
}

/** As many bytes as characters, mostly: counting them is for texts that may be too long. */
function checkShort(text: string | undefined): void {
  if (text !== undefined && text.length * 3 > longestShortText && Buffer.byteLength(text) > longestShortText)
    throw unfit(`ids and properties of at most ${longestShortText} bytes`, text.slice(0, 300));
}

function unfit(expected: string, got: unknown): PublishRejected {
  return new PublishRejected("Q1101", `expected ${expected}, got ${JSON.stringify(got)}`);
}
