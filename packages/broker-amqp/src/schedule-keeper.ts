import type { ConsumeMessage } from "amqplib";
import { randomUUID } from "node:crypto";
import { BrokerError, hasCode, tickHeader, type Clock, type JsonValue, type Logger } from "@q/core/broker";
import { amqpError, ConnectionLost } from "./amqp-error.ts";
import type { ConfirmedSends } from "./confirmed-sends.ts";
import type { Link } from "./link.ts";
import { schedulesQueue, unreadableSchedules } from "./names.ts";
import type { Settings } from "./options.ts";
import type { Consignment } from "./parcel.ts";
import type { Publisher } from "./publisher.ts";
import { changeFor } from "./schedule-change.ts";
import { messageType, stateMessage, storedVersion, toQueue, withCopy } from "./schedule-message.ts";
import { decodeRequest, encodeAnswer, type ScheduleAnswer, type ScheduleRequest } from "./schedule-request.ts";
import { decodeState, merged, next, noState, type ScheduleState } from "./schedule-state.ts";
import type { Topology } from "./topology.ts";

export interface ScheduleKeeperOptions {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly publisher: Pick<Publisher, "consign">;
  readonly topology: Pick<Topology, "declareSide">;
  readonly link: Link;
  /** On the channel whose messages it is given: who keeps the schedules no longer can send nothing there. */
  readonly sends: Pick<ConfirmedSends, "send">;
  /** Aborts when the channel is no longer. */
  readonly ended: AbortSignal;
  /** Sends something of which it does not matter whether it comes. */
  readonly write: (routingKey: string, content: Buffer, options: Consignment["options"]) => void;
  readonly ack: (deliveryTag: number) => void;
  /** Answers the request of this id. */
  readonly answer: (id: string, replyTo: unknown, content: Buffer) => void;
  /** Gives up the channel, and all that is held. */
  readonly end: (reason: Error) => void;
}

/** What came while it is not known yet what else is there. */
interface Found {
  readonly states: readonly { readonly tag: number; readonly state: ScheduleState }[];
  readonly unreadable: readonly ConsumeMessage[];
  readonly requests: readonly ConsumeMessage[];
}

const nothing: Found = { states: [], unreadable: [], requests: [] };
/** Fewer than the server hands out at a time, or what is behind them would never come. */
const mostFound = 900;

/**
 * Keeps the schedules while RabbitMQ gives this process the messages of their queue, of which it lets one process at a time have any. What is known of them is a
 * message there, which is held; what others want comes to it there.
 *
 * | state | means | next |
 * |---|---|---|
 * | waiting | another process keeps them, or nothing has come yet | finding, when something comes |
 * | finding | messages come, and are only collected: newer ones may be behind | keeping, when a mark that was put behind all of them comes |
 * | keeping | requests are carried out, one after the other | finding, when something comes that another process has stored or held |
 * | refusing | what is there cannot be read: requests are answered with that | ended, when a mark that was put behind them comes |
 *
 * A change is stored before it is answered, and before the state that it replaces is let go of. The message of a tick is stored first: a keeper that dies
 * between the two leaves a tick that is sent once more, with the same id.
 */
export class ScheduleKeeper {
  readonly #options: ScheduleKeeperOptions;
  readonly #id = randomUUID();
  #phase: "waiting" | "finding" | "keeping" | "refusing" = "waiting";
  #mark = "";
  #found = nothing;
  #state: ScheduleState = noState(this.#id);
  /** What is being stored. */
  #storing: ScheduleState | undefined;
  /** Versions of the states in our hands, by the tags of their messages. */
  readonly #held = new Map<number, number>();
  /** Schedules whose last tick this process has sent, and recorded: the next one was sent by nobody before. */
  readonly #certain = new Set<string>();
  #storedAt = 0;
  /** What is done with the state happens in turn. Never rejects. */
  #turn: Promise<void> = Promise.resolve();
  #isFinishing = false;
  #heirloom: ScheduleState | undefined;
  #refusal: BrokerError | undefined;

  constructor(options: ScheduleKeeperOptions) {
    this.#options = options;
  }

  /** What was kept when the queue was deleted. */
  get heirloom(): ScheduleState | undefined {
    return this.#heirloom;
  }

  /** Why nothing is to be asked of this process, nor by it. */
  get refusal(): BrokerError | undefined {
    return this.#refusal;
  }

  /** Puts something behind all that is in the queue, to be known again when it comes. */
  putMark(): void {
    this.#mark = randomUUID();
    const options = { type: messageType.mark, messageId: this.#mark, mandatory: true };
    this.#options.write(schedulesQueue, Buffer.alloc(0), options);
  }

  onMessage(found: ConsumeMessage | null): void {
    if (this.#options.ended.aborted) return;
    if (found === null) return this.onQueueGone();
    const { type, messageId } = found.properties as { readonly type?: unknown; readonly messageId?: unknown };
    const { deliveryTag: tag, redelivered } = found.fields;
    if (type === messageType.mark) {
      this.#options.ack(tag);
      if (messageId === this.#mark) this.#onMark();
      return;
    }
    const isState = type === messageType.state;
    const own = isState && typeof messageId === "string" ? storedVersion(messageId, this.#id) : undefined;
    if (own !== undefined) {
      this.#held.set(tag, own);
      return this.#letGo();
    }
    const state = isState ? decodeState(found.content) : undefined;
    // What was held before was another's: RabbitMQ had taken this process for dead, and there may be newer ones.
    if (this.#phase === "waiting" || (this.#phase === "keeping" && (redelivered || typeof state === "object")))
      this.#find();
    if (this.#phase === "keeping") void this.#inTurn(() => this.#takeUp(found));
    else if (this.#refusal !== undefined) this.#answerRefused(found, this.#refusal);
    else this.#collect(found, state);
  }

  /** Somebody has deleted the queue, or its node is gone. What was in it is known here. */
  onQueueGone(): void {
    const { ended, logger, end } = this.#options;
    if (ended.aborted) return;
    logger.warn(
      { queue: schedulesQueue },
      "the queue of the schedules is gone, because somebody deleted it or its node stopped; it is made again",
    );
    const known = merged([this.#storing ?? this.#state, ...this.#found.states.map(({ state }) => state)]);
    if (known.version > 0) this.#heirloom = known;
    end(this.#over());
  }

  /** Stores the state anew when it has been held for long: the server takes back what is held for too long. Never rejects. */
  async renew(olderThanMs: number): Promise<void> {
    await this.#inTurn(async () => {
      const isOld = this.#options.clock.monotonic() - this.#storedAt >= olderThanMs;
      if (this.#phase === "keeping" && this.#held.size > 0 && isOld) await this.#store(next(this.#state));
    });
  }

  /** Resolves when what is being carried out has been; nothing is begun any more. Never rejects. */
  async finish(): Promise<void> {
    this.#isFinishing = true;
    await this.#turn;
  }

  #find(): void {
    this.#phase = "finding";
    this.putMark();
  }

  #collect(found: ConsumeMessage, state: ScheduleState | string | undefined): void {
    const { states, unreadable, requests } = this.#found;
    if (states.length + unreadable.length + requests.length >= mostFound) {
      // The mark may be out of reach.
      const refusal = this.#refuse(`with more than ${mostFound} messages in it`);
      for (const request of requests) this.#answerRefused(request, refusal);
      return this.#options.end(refusal);
    }
    if (typeof state === "object")
      this.#found = { ...this.#found, states: [...states, { tag: found.fields.deliveryTag, state }] };
    else if (found.properties.type === messageType.request)
      this.#found = { ...this.#found, requests: [...requests, found] };
    else this.#found = { ...this.#found, unreadable: [...unreadable, found] };
  }

  #onMark(): void {
    if (this.#refusal !== undefined) this.#options.end(this.#refusal);
    else if (this.#phase !== "keeping") this.#begin();
  }

  /** Everything that was there is known now. */
  #begin(): void {
    const { states, unreadable, requests } = this.#found;
    this.#found = nothing;
    this.#phase = "keeping";
    this.#certain.clear();
    void this.#inTurn(async () => {
      const isNew = this.#state.version === 0;
      if (isNew && states.length === 0 && unreadable[0] !== undefined)
        return void this.#refuse(whyUnreadable(unreadable[0]));
      this.#state = merged([this.#state, ...states.map(({ state }) => state)]);
      for (const { tag, state } of states) this.#held.set(tag, state.version);
      this.#storedAt = this.#options.clock.monotonic();
      // A keeper has died in between, or the queue was made anew: from now on there is one state.
      if (states.length + (isNew ? 0 : 1) > 1) await this.#store(next(this.#state));
    });
    for (const found of [...unreadable, ...requests]) void this.#inTurn(() => this.#takeUp(found));
  }

  /** To begin without what is there would resume what is paused, and forget what was made at run time. What has come is for the caller to answer. */
  #refuse(why: string): BrokerError {
    const error = new BrokerError("Q1027", `the queue ${schedulesQueue} cannot be used, ${why}`, {
      hint: `no tick is sent, and what is there stays. Move it to another queue to keep it ("Move messages" of RabbitMQ's management), or drop it (rabbitmqctl purge_queue ${schedulesQueue}): with an empty queue all schedules begin anew`,
    });
    this.#options.logger.error({ err: error }, "the schedules cannot be read");
    this.#refusal = error;
    this.#phase = "refusing";
    this.putMark();
    return error;
  }

  /** What is no request stays, unacked. */
  #answerRefused(found: ConsumeMessage, error: BrokerError): void {
    if (found.properties.type !== messageType.request) return;
    this.#reply(found, { error });
    this.#options.ack(found.fields.deliveryTag);
  }

  async #takeUp(found: ConsumeMessage): Promise<void> {
    if (this.#refusal !== undefined) return this.#answerRefused(found, this.#refusal);
    const { type, messageId } = found.properties as { readonly type?: unknown; readonly messageId?: unknown };
    const request = type === messageType.request ? decodeRequest(found.content) : undefined;
    if (request === undefined || typeof messageId !== "string") return await this.#setAside(found);
    const answer = await this.#answerTo(request, messageId);
    // Without: whoever keeps the schedules next is given the request.
    if (this.#options.ended.aborted) return;
    this.#reply(found, answer);
    this.#options.ack(found.fields.deliveryTag);
  }

  #reply({ properties }: ConsumeMessage, answer: ScheduleAnswer): void {
    const { messageId, replyTo } = properties as { readonly messageId?: unknown; readonly replyTo?: unknown };
    if (typeof messageId === "string") this.#options.answer(messageId, replyTo, encodeAnswer(answer));
  }

  /** Something that is none of ours, beside a state that can be read. */
  async #setAside(found: ConsumeMessage): Promise<void> {
    const { logger, topology, settings, link, sends, ack } = this.#options;
    await topology.declareSide(link, unreadableSchedules, settings.queueType);
    await sends.send(toQueue(unreadableSchedules, found.content, { persistent: true }));
    ack(found.fields.deliveryTag);
    logger.error(
      { bytes: found.content.length, queue: unreadableSchedules },
      `a message in ${schedulesQueue} cannot be read, and was moved to ${unreadableSchedules}: find out who sends there, then delete that queue`,
    );
  }

  async #answerTo(request: ScheduleRequest, id: string): Promise<ScheduleAnswer> {
    try {
      return { value: await this.#carryOut(request, id) };
    } catch (error) {
      return { error: amqpError(error, this.#options.settings.address) };
    }
  }

  async #carryOut(request: ScheduleRequest, id: string): Promise<JsonValue> {
    const { clock, publisher, sends } = this.#options;
    const copy = this.#copyFor(request);
    const { answer, state } = changeFor(request, { state: this.#state, id, nowMs: clock.now(), copy });
    if (state === null) return answer;
    // Before anything is sent: what cannot be recorded is not sent.
    const recorded = stateMessage(state, this.#id);
    if (request.kind === "fire" && request.message !== null) {
      const { name, message, priorities } = request;
      this.#certain.delete(name);
      await sends.send(publisher.consign(copy === null ? message : withCopy(message, copy), { priorities }));
      await this.#store(state, recorded);
      this.#certain.add(name);
    } else await this.#store(state, recorded);
    return answer;
  }

  /** What marks the message of a tick; `null` when there can be no other one of it, or nobody will ask. */
  #copyFor(request: ScheduleRequest): string | null {
    if (request.kind !== "fire" || request.message?.headers[tickHeader] === undefined) return null;
    return this.#certain.has(request.name) ? null : randomUUID();
  }

  /** When it may not be stored, this process keeps the schedules no longer: whoever does next reads what is there. */
  async #store(state: ScheduleState, message = stateMessage(state, this.#id)): Promise<void> {
    const { sends, link, clock } = this.#options;
    this.#storing = state;
    try {
      await sends.send(message);
    } catch (error) {
      if (hasCode(error, "Q1105")) this.onQueueGone();
      else link.fail(error);
      throw error;
    }
    this.#storing = undefined;
    this.#state = state;
    this.#storedAt = clock.monotonic();
    this.#letGo();
  }

  /** Lets go of what has been replaced. */
  #letGo(): void {
    for (const [tag, version] of this.#held) {
      if (version >= this.#state.version) continue;
      this.#held.delete(tag);
      this.#options.ack(tag);
    }
  }

  #inTurn(action: () => Promise<void> | void): Promise<void> {
    const { ended, logger, link } = this.#options;
    this.#turn = this.#turn
      .then(async () => {
        if (!ended.aborted && !this.#isFinishing) await action();
      })
      .catch((error: unknown) => {
        if (ended.aborted) return;
        logger.warn({ err: error }, "the schedules cannot be kept here just now");
        link.fail(error);
      });
    return this.#turn;
  }

  #over(): ConnectionLost {
    return new ConnectionLost(`the queue of the schedules is gone (${this.#options.settings.address})`, { sent: true });
  }
}

function whyUnreadable({ properties, content }: ConsumeMessage): string {
  const state = properties.type === messageType.state ? decodeState(content) : "it is none that q has sent";
  return `with a message of ${content.length} bytes in it that cannot be read: ${typeof state === "string" ? state : ""}`;
}
