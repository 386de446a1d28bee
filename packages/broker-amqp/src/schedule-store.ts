import { randomUUID } from "node:crypto";
import {
  atMost,
  BrokerError,
  PublishRejected,
  PublishUnknown,
  sleep,
  type BrokerMessage,
  type JsonObject,
  type JsonValue,
  type ScheduleStore,
  type StoredSchedule,
  type Tick,
  type TickAnswer,
  type Timer,
} from "@q/core/broker";
import { ConnectionLost } from "./amqp-error.ts";
import type { LazyConnection } from "./lazy-connection.ts";
import { ScheduleMember } from "./schedule-member.ts";
import { copyOf } from "./schedule-message.ts";
import { encodeRequest, type ScheduleRequest } from "./schedule-request.ts";
import { schedulesOf, type ScheduleState } from "./schedule-state.ts";
import type { Store } from "./store.ts";

/** A process that asks nothing for so long looks after no schedules: others keep them. A cron process asks every ten seconds. */
const idleMs = 30_000;
const longestWatchMs = 10_000;
/** For the end of what keeps the schedules from being asked, such as a queue that is made anew. */
const againMs = 50;

/**
 * RabbitMQ knows no step that compares, stores and sends. So one process keeps the schedules for all: whichever RabbitMQ gives the messages of their queue.
 * Who uses this store is one of those that may, and asks whoever it is, over that queue.
 */
export class AmqpScheduleStore implements ScheduleStore {
  readonly #store: Store;
  /** Of its own: what is published on it blocks it when RabbitMQ is short of memory, and who keeps the schedules must not lose them to a worker's trouble. */
  readonly #connection: LazyConnection;
  #joining: Promise<ScheduleMember> | undefined;
  #heirloom: ScheduleState | undefined;
  #usedAt = 0;
  #watch: Timer | undefined;
  #isClosed = false;

  constructor(store: Store, connection: LazyConnection) {
    this.#store = store;
    this.#connection = connection;
  }

  /** The clock of the process that keeps the schedules: RabbitMQ tells none. */
  async now(): Promise<number> {
    const answer = await this.#ask({ kind: "now" });
    if (typeof answer !== "number") throw noSense();
    return answer;
  }

  async list(): Promise<readonly StoredSchedule[]> {
    const schedules = schedulesOf(await this.#ask({ kind: "list" }));
    if (schedules === undefined) throw noSense();
    return schedules.map(({ name, lastTick, paused, entry }) => ({ name, lastTick, paused, entry }));
  }

  async begin({ name, at }: Pick<Tick, "name" | "at" | "queue">): Promise<void> {
    await this.#ask({ kind: "begin", name, at });
  }

  async fire(tick: Tick): Promise<TickAnswer> {
    const { connection, topology, publisher } = this.#store;
    const { queue, ...rest } = tick;
    // What cannot be sent is refused here, by who knows the queue.
    if (tick.message !== null) publisher.consign(tick.message);
    const request = { ...rest, kind: "fire" as const, priorities: topology.hasPriorities(queue) };
    try {
      return await this.#fire(request).catch(async (error: unknown) => {
        if (!(error instanceof PublishRejected && error.code === "Q1105")) throw error;
        await topology.redeclare(await connection.ready(), queue);
        return await this.#fire(request);
      });
    } catch (error) {
      throw publishError(error);
    }
  }

  async put(name: string, entry: JsonObject): Promise<void> {
    await this.#ask({ kind: "put", name, entry });
  }

  async remove(name: string): Promise<boolean> {
    return (await this.#ask({ kind: "remove", name })) === true;
  }

  async setPaused(name: string, paused: boolean): Promise<void> {
    await this.#ask({ kind: "pause", name, paused });
  }

  async counts({ name, at }: Pick<Tick, "name" | "at">, message: BrokerMessage): Promise<boolean> {
    return (await this.#ask({ kind: "counts", name, at, copy: copyOf(message) })) === true;
  }

  /** Leaves the schedules to others, when what is being carried out has been. Never throws. */
  async leave(): Promise<void> {
    this.#isClosed = true;
    this.#watch?.cancel();
    const member = await this.#joining?.catch(() => undefined);
    await member?.leave();
  }

  /** Never throws. */
  async disconnect(): Promise<void> {
    await this.#connection.close();
  }

  /** For tests. */
  abandon(): void {
    this.#isClosed = true;
    this.#watch?.cancel();
    this.#connection.abandon();
  }

  async #fire(request: ScheduleRequest): Promise<TickAnswer> {
    const answer = await this.#ask(request);
    const known: readonly JsonValue[] = ["fired", "already", "paused", "gone", "early"] satisfies TickAnswer[];
    if (!known.includes(answer)) throw noSense();
    return answer as TickAnswer; // it is one of these
  }

  /** As often as it takes, under one id, until the time for an answer is over. @throws BrokerError */
  async #ask(request: ScheduleRequest): Promise<JsonValue> {
    const { clock, settings } = this.#store;
    const [id, content] = [randomUUID(), encodeRequest(request)];
    const until = clock.monotonic() + settings.timeoutMs;
    this.#usedAt = clock.monotonic();
    let mayBeMade = false;
    for (;;) {
      try {
        return await (await this.#member(until)).ask(id, content, until - clock.monotonic());
      } catch (error) {
        if (!(error instanceof ConnectionLost)) throw error;
        mayBeMade ||= error.sent;
        if (this.#isClosed || clock.monotonic() + againMs >= until)
          throw error.sent || !mayBeMade ? error : new ConnectionLost(error.message, { sent: true, cause: error });
        await sleep(clock, againMs);
      }
    }
  }

  /** This process's part in keeping the schedules. @throws ConnectionLost when it cannot take part in time; BrokerError */
  async #member(until: number): Promise<ScheduleMember> {
    const { clock, settings } = this.#store;
    const joining = (this.#joining ??= this.#join());
    if (await atMost(clock, until - clock.monotonic(), joining)) return await joining;
    throw new ConnectionLost(`RabbitMQ at ${settings.address} gave no answer in time`, { sent: false });
  }

  #join(): Promise<ScheduleMember> {
    const joining = this.#begin();
    const forget = (): void => {
      if (this.#joining === joining) this.#joining = undefined;
    };
    joining.then((member) => {
      const onEnd = (): void => {
        forget();
        this.#heirloom = member.heirloom ?? this.#heirloom;
        // What the queue held is to be there again before anybody begins without it.
        if (this.#heirloom !== undefined && !this.#isClosed) (this.#joining ??= this.#join()).catch(() => undefined);
      };
      if (member.ended.aborted) onEnd();
      else member.ended.addEventListener("abort", onEnd, { once: true });
    }, forget);
    return joining;
  }

  async #begin(): Promise<ScheduleMember> {
    const link = await (await this.#connection.get()).ready();
    const heirloom = this.#heirloom;
    const member = await ScheduleMember.join(link, { ...this.#store, heirloom });
    if (this.#heirloom === heirloom) this.#heirloom = undefined;
    this.#scheduleWatch();
    return member;
  }

  /** `null` for ever is as good as the server's default. */
  get #renewMs(): number {
    return (this.#store.settings.consumerTimeoutMs ?? 1_800_000) / 3;
  }

  #scheduleWatch(): void {
    this.#watch?.cancel();
    if (this.#isClosed) return;
    const watchMs = Math.min(longestWatchMs, this.#renewMs / 2);
    this.#watch = this.#store.clock.setTimer(watchMs, () => void this.#lookAfter());
  }

  /** Never rejects. */
  async #lookAfter(): Promise<void> {
    const member = await this.#joining?.catch(() => undefined);
    if (member === undefined) return;
    if (this.#store.clock.monotonic() - this.#usedAt > idleMs) return await member.leave();
    await member.renew(this.#renewMs);
    this.#scheduleWatch();
  }
}

function noSense(): BrokerError {
  return new BrokerError("Q1024", "the process that keeps the schedules gave an answer that makes no sense");
}

/** The same error as an answer to a tick that was to be sent. */
function publishError(error: unknown): unknown {
  if (!(error instanceof BrokerError) || error instanceof PublishRejected || error instanceof PublishUnknown)
    return error;
  const { code, message, hint } = error;
  if (error instanceof ConnectionLost && error.sent) {
    return new PublishUnknown("Q1102", `${message}; the tick may be sent`, { hint, cause: error });
  }
  return new PublishRejected(code, message, { hint, cause: error });
}
