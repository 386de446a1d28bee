import type { ConfirmChannel, ConsumeMessage } from "amqplib";
import { randomUUID } from "node:crypto";
import { atMost, PublishRejected, type Clock, type JsonValue, type Logger } from "@q/core/broker";
import { amqpError, ConnectionLost } from "./amqp-error.ts";
import { ConfirmedSends } from "./confirmed-sends.ts";
import type { Link } from "./link.ts";
import { schedulesQueue } from "./names.ts";
import type { Settings } from "./options.ts";
import type { Consignment } from "./parcel.ts";
import type { Publisher } from "./publisher.ts";
import { requestMessage, stateMessage } from "./schedule-message.ts";
import { ScheduleKeeper } from "./schedule-keeper.ts";
import { decodeAnswer } from "./schedule-request.ts";
import { next, type ScheduleState } from "./schedule-state.ts";
import type { Topology } from "./topology.ts";

export interface ScheduleMemberOptions {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly publisher: Publisher;
  readonly topology: Topology;
  /** What this process kept when the queue was deleted under it: it is put into the new one. */
  readonly heirloom?: ScheduleState | undefined;
}

/** Where answers come: the server leads them to the channel that asked. https://www.rabbitmq.com/docs/direct-reply-to */
const replyQueue = "amq.rabbitmq.reply-to";
/** Requests are answered one by one, and nobody sends so many. */
const prefetch = 1000;

/**
 * One process among those that may keep the schedules, for as long as its channel lives: it asks whoever keeps them, and keeps them itself when RabbitMQ gives it
 * the messages.
 */
export class ScheduleMember {
  readonly #link: Link;
  readonly #channel: ConfirmChannel;
  readonly #options: ScheduleMemberOptions;
  readonly #ended = new AbortController();
  /** Who waits for an answer, by the id of the request. */
  readonly #asked = new Map<string, (answer: Buffer | Error) => void>();
  readonly #sends: ConfirmedSends;
  readonly #keeper: ScheduleKeeper;
  readonly #onLost = (): void => this.#end(this.#connectionLost());

  private constructor(link: Link, channel: ConfirmChannel, options: ScheduleMemberOptions) {
    this.#link = link;
    this.#channel = channel;
    this.#options = options;
    const { clock, settings } = options;
    const ended = this.#ended.signal;
    const sends = new ConfirmedSends({ link, channel, clock, timeoutMs: settings.timeoutMs, ended });
    this.#sends = sends;
    this.#keeper = new ScheduleKeeper({
      ...options,
      link,
      sends,
      ended,
      write: (routingKey, content, properties) => this.#write(routingKey, content, properties),
      // What amqplib reads of it.
      ack: (deliveryTag) => ended.aborted || channel.ack({ fields: { deliveryTag } } as ConsumeMessage),
      answer: (id, replyTo, content) => this.#answer(id, replyTo, content),
      end: (reason) => void this.#leave(reason),
    });
    if (link.lost.aborted) this.#onLost();
    else link.lost.addEventListener("abort", this.#onLost, { once: true });
    channel.on("return", (returned) => {
      if (!sends.markReturned(returned) && returned.fields.routingKey === schedulesQueue) this.#keeper.onQueueGone();
    });
  }

  /** @throws BrokerError `Q1004` the queue is there in another shape; `Q1018` this user may not use it */
  static async join(link: Link, options: ScheduleMemberOptions): Promise<ScheduleMember> {
    const { settings, topology, heirloom } = options;
    await topology.declareSchedules(link, schedulesQueue, settings.queueType);
    const channel = await link.confirmChannel();
    const member = new ScheduleMember(link, channel, options);
    try {
      await link.call(channel.prefetch(prefetch));
      await link.call(channel.consume(replyQueue, (found) => member.#onAnswer(found), { noAck: true }));
      // Under another name than ours: it is to be found there, as any other.
      if (heirloom !== undefined) await member.#sends.send(stateMessage(next(heirloom), randomUUID()));
      await link.call(channel.consume(schedulesQueue, (found) => member.#keeper.onMessage(found)));
      member.#keeper.putMark();
      return member;
    } catch (error) {
      await member.#leave(member.#connectionLost());
      throw amqpError(error, settings.address);
    }
  }

  /** Aborts when it is over; the process may join again then. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /** What is to be put into the queue when it is made anew. */
  get heirloom(): ScheduleState | undefined {
    return this.#keeper.heirloom;
  }

  /**
   * Has a request carried out by whoever keeps the schedules, this process too: who is given the request does keep them.
   * @param id of the request: asked again under the same one, a change is made once
   * @throws ConnectionLost when there was no answer in time; BrokerError what came instead
   */
  async ask(id: string, content: Buffer, withinMs: number): Promise<JsonValue> {
    const { clock, settings } = this.#options;
    if (this.#ended.signal.aborted) throw this.#connectionLost();
    if (this.#keeper.refusal !== undefined) throw this.#keeper.refusal;
    const { blockedBecause } = this.#link;
    if (blockedBecause !== undefined)
      throw new PublishRejected("Q1107", `RabbitMQ takes in no messages now: ${blockedBecause}`);
    const answer = new Promise<Buffer | Error>((resolve) => this.#asked.set(id, resolve));
    try {
      const { options } = requestMessage(id, withinMs);
      this.#write(schedulesQueue, content, { ...options, replyTo: replyQueue });
      if (!(await atMost(clock, withinMs, answer))) {
        throw new ConnectionLost(
          `the process that keeps the schedules gave no answer within ${settings.timeoutMs} ms (${settings.address})`,
          { sent: true, hint: this.#link.blockedBecause ?? "it may be busy, or have just ended: try again" },
        );
      }
      const came = await answer;
      if (came instanceof Error) throw came;
      return decodeAnswer(came);
    } finally {
      this.#asked.delete(id);
    }
  }

  /** Never rejects. */
  async renew(olderThanMs: number): Promise<void> {
    await this.#keeper.renew(olderThanMs);
  }

  /** Leaves the schedules to others, when what is being carried out has been. Never throws. */
  async leave(): Promise<void> {
    await this.#keeper.finish();
    await this.#leave(this.#connectionLost());
  }

  #onAnswer(found: ConsumeMessage | null): void {
    const id: unknown = found?.properties.correlationId;
    if (found !== null && typeof id === "string") this.#asked.get(id)?.(found.content);
  }

  #answer(id: string, replyTo: unknown, content: Buffer): void {
    const mine = this.#asked.get(id);
    if (mine !== undefined) mine(content);
    // Nowhere else, whatever a request says.
    else if (typeof replyTo === "string" && replyTo.startsWith(`${replyQueue}.`))
      this.#write(replyTo, content, { correlationId: id });
  }

  /** Sends something of which it does not matter whether it comes. */
  #write(routingKey: string, content: Buffer, options: Consignment["options"]): void {
    if (this.#ended.signal.aborted) return;
    try {
      this.#channel.publish("", routingKey, content, options);
    } catch (error) {
      // The channel has just ended.
      this.#link.fail(error);
    }
  }

  /** With its channel, and not only with its consumer: that would keep the state from the next one. Never throws. */
  async #leave(reason: Error): Promise<void> {
    this.#end(reason);
    await this.#link.retire(this.#channel).catch(() => undefined);
  }

  #end(reason: Error): void {
    if (this.#ended.signal.aborted) return;
    this.#link.lost.removeEventListener("abort", this.#onLost);
    this.#ended.abort(reason);
    for (const answered of this.#asked.values()) answered(reason);
    this.#asked.clear();
  }

  #connectionLost(): ConnectionLost {
    return new ConnectionLost(`the connection to RabbitMQ at ${this.#options.settings.address} ended`, { sent: true });
  }
}
