import { PublishRejected, PublishUnknown, type PublishFailed } from "./broker/broker-error.ts";
import type { OutgoingMessage } from "./broker/broker-message.ts";
import type { PublishLimits } from "./broker/broker.ts";
import type { Publication } from "./broker/once.ts";
import type { Clock, Timer } from "./clock.ts";
import { hasCode } from "./q-error.ts";
import type { SendKey } from "./send-key.ts";

export interface ProducerOptions {
  /** Stores messages of one queue: `Broker.publish` of an open broker. */
  readonly publish: (messages: readonly OutgoingMessage[]) => Promise<void>;
  /** Stores a message unless its key was used: `publishOnce` of an open broker. */
  readonly publishOnce: (message: OutgoingMessage, key: SendKey) => Promise<Publication>;
  /** Default: up to 1,000 messages in a call, and one call at a time. */
  readonly limits?: PublishLimits | undefined;
  readonly clock: Clock;
  /** Longest time in which a queue's sends make no progress. Milliseconds. */
  readonly publishTimeoutMs: number;
  /** Bytes of messages that may wait. A send above it is refused. */
  readonly maxBufferedBytes: number;
}

/**
 * A message to be stored, and who is told once what became of it. Not a promise: a bulk send has thousands of messages, and one answer.
 */
export interface PendingSend {
  readonly message: OutgoingMessage;
  /** Of all messages with one key, at most one is stored. `null`: it has none. */
  readonly key: SendKey | null;
  /** Of what the sender gave: body and headers. */
  readonly bytes: number;
  stored(publication: Publication): void;
  failed(error: unknown): void;
}

/** What became of each message of a batch, by its position. */
type Answers = (position: number) => Publication | Error;

/** The sends of one queue, those with a key apart from those without: some batches are on their way, the others gather. */
interface Lane {
  readonly hasKeys: boolean;
  waiting: PendingSend[];
  /** Calls that have no answer yet. */
  underWay: number;
  /** Those of them that have had their time, and whose senders have been told. They keep their places: the broker may still carry them out. */
  stuck: number;
  isScheduled: boolean;
  /** Ends the wait of what waits while all calls are stuck. Only there while somebody waits, since it keeps the process alive. */
  timer: Timer | undefined;
}

/** Not `queueMicrotask`, which takes several times as long. */
const soon = Promise.resolve();
const usualLimits: PublishLimits = { messagesOfCall: 1000, callsAtOnce: 1 };
/** Fewer than these are not worth a call more. */
const fewestShared = 16;
/** Fewer than these are not worth a turn of the event loop. */
const fewestOfTurn = 100;
const largestBatchBytes = 4 * 1024 * 1024;
/** What a message costs besides what its sender gave, roughly. */
const overheadBytes = 512;
/** From here on a bulk send waits: as much is under way as brokers take at a time, and as much is there. */
const comfortableMessages = 2000;

/**
 * Turns single sends into few calls of `Broker.publish`. Sends of one tick become one call, or as many as the broker wants to have under way; everything that
 * arrives meanwhile goes out together next.
 * Sends with a key are one call each, since each has an answer of its own; those of a batch are under way side by side.
 */
export class Producer {
  readonly #options: ProducerOptions;
  readonly #limits: PublishLimits;
  readonly #leavesAt: number;
  readonly #lanes = new Map<string, Lane>();
  readonly #lanesWithKeys = new Map<string, Lane>();
  readonly #idle: (() => void)[] = [];
  #messages = 0;
  #bytes = 0;

  constructor(options: ProducerOptions) {
    this.#options = options;
    this.#limits = options.limits ?? usualLimits;
    this.#leavesAt = this.#limits.leavesAt ?? this.#limits.messagesOfCall;
  }

  /**
   * Tells who waits when the broker has the message, or had one with the same key. It fails with PublishRejected when nothing was stored
   * (`Q1104`: too much is waiting already), with PublishUnknown when it may be stored.
   */
  send(pending: PendingSend): void {
    const bytes = pending.bytes + overheadBytes;
    if (this.#bytes + bytes > this.#options.maxBufferedBytes) {
      pending.failed(
        new PublishRejected(
          "Q1104",
          `${this.#messages} sends already wait for the broker, ${this.#bytes} bytes of them`,
          {
            hint: "await your sends, or use app.sendMany, which reads its input only as fast as the broker takes it",
          },
        ),
      );
      return;
    }
    const lane = this.#lane(pending.message.queue, pending.key !== null);
    lane.waiting.push(pending);
    this.#messages += 1;
    this.#bytes += bytes;
    this.#schedule(lane);
  }

  /** Whoever sends more in one go keeps the broker from what it could be at: what was handed over leaves when the event loop comes round. */
  get messagesOfTurn(): number {
    return Math.max(this.#leavesAt, fewestOfTurn);
  }

  /** Few enough messages wait that reading more input is sensible. */
  get hasRoom(): boolean {
    return this.#messages < comfortableMessages;
  }

  /** Resolves when it has. */
  async room(): Promise<void> {
    while (!this.hasRoom) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** Resolves when no send is waiting, however each of them ended. */
  async flush(): Promise<void> {
    while (this.#messages > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #lane(queue: string, hasKeys: boolean): Lane {
    const lanes = hasKeys ? this.#lanesWithKeys : this.#lanes;
    let lane = lanes.get(queue);
    if (lane === undefined) {
      lane = { hasKeys, waiting: [], underWay: 0, stuck: 0, isScheduled: false, timer: undefined };
      lanes.set(queue, lane);
    }
    return lane;
  }

  #schedule(lane: Lane): void {
    const { clock, publishTimeoutMs } = this.#options;
    const { callsAtOnce } = this.#limits;
    if (lane.stuck === callsAtOnce)
      lane.timer ??= clock.setTimer(publishTimeoutMs, () => this.#refuseWaiting(lane), { keepAlive: true });
    if (lane.underWay === callsAtOnce) return;
    if (lane.waiting.length >= this.#leavesAt) return void this.#publish(lane);
    if (lane.isScheduled) return;
    lane.isScheduled = true;
    void soon.then(() => {
      lane.isScheduled = false;
      while (lane.waiting.length > 0 && lane.underWay < callsAtOnce) void this.#publish(lane);
    });
  }

  /** Never rejects: who waits hears how it went. */
  async #publish(lane: Lane): Promise<void> {
    const { clock, publishTimeoutMs } = this.#options;
    const batch = takeBatch(lane, this.#limits);
    let isStuck = false;
    lane.underWay += 1;
    const answering = lane.hasKeys ? this.#publishEach(batch) : this.#publishTogether(batch);
    // Behind the call: the broker is at work meanwhile.
    const timer = clock.setTimer(
      publishTimeoutMs,
      () => {
        isStuck = true;
        this.#giveUp(lane, batch);
      },
      { keepAlive: true },
    );
    const answers = await answering;
    timer.cancel();
    lane.underWay -= 1;
    if (isStuck) lane.stuck -= 1;
    else this.#settle(batch, answers);
    lane.timer?.cancel();
    lane.timer = undefined;
    if (lane.waiting.length > 0) this.#schedule(lane);
  }

  /** Never rejects. */
  async #publishTogether(batch: readonly PendingSend[]): Promise<Answers> {
    try {
      await this.#options.publish(batch.map(({ message }) => message));
      return () => "published";
    } catch (failure) {
      return (position) => failureOf(failure, position);
    }
  }

  /** Of a lane with keys. Never rejects. */
  async #publishEach(batch: readonly PendingSend[]): Promise<Answers> {
    const { publishOnce } = this.#options;
    const calls = batch.flatMap(({ message, key }) => (key === null ? [] : [publishOnce(message, key)]));
    const results = await Promise.allSettled(calls);
    return (position) => {
      const result = results[position];
      return result?.status === "fulfilled" ? result.value : errorOf(result?.reason);
    };
  }

  /** When a call has no answer in time, its messages may be stored. When none has, those behind them were never handed over. */
  #giveUp(lane: Lane, batch: readonly PendingSend[]): void {
    lane.stuck += 1;
    const unknown = new PublishUnknown("Q1102", `${this.#lateness}: the message may be stored`);
    this.#settle(batch, () => unknown);
    if (lane.stuck === this.#limits.callsAtOnce) this.#refuseWaiting(lane);
  }

  #refuseWaiting(lane: Lane): void {
    lane.timer = undefined;
    const rejected = new PublishRejected("Q1101", `${this.#lateness}: the message was not handed to it`);
    this.#settle(lane.waiting.splice(0), () => rejected);
  }

  get #lateness(): string {
    return `the broker did not answer within ${this.#options.publishTimeoutMs} ms`;
  }

  #settle(batch: readonly PendingSend[], answers: Answers): void {
    batch.forEach((pending, position) => {
      this.#messages -= 1;
      this.#bytes -= pending.bytes + overheadBytes;
      const answer = answers(position);
      if (answer instanceof Error) pending.failed(answer);
      else pending.stored(answer);
    });
    for (const wake of this.#idle.splice(0)) wake();
  }
}

/** Calls that can be under way share what waits, so that the senders of one are at work while the others wait. */
function takeBatch(lane: Lane, { messagesOfCall, callsAtOnce }: PublishLimits): readonly PendingSend[] {
  const waits = lane.waiting.length;
  const share = Math.ceil(waits / (callsAtOnce - lane.underWay));
  const most = waits < messagesOfCall ? Math.max(share, fewestShared) : messagesOfCall;
  let count = 0;
  let bytes = 0;
  for (const waiting of lane.waiting) {
    if (count > 0 && (count >= most || bytes + waiting.bytes > largestBatchBytes)) break;
    count += 1;
    bytes += waiting.bytes;
  }
  return count === lane.waiting.length ? lane.waiting.splice(0) : lane.waiting.splice(0, count);
}

function failureOf(failure: unknown, position: number): Publication | Error {
  // By code: the adapter may have another copy of the class.
  if (hasCode(failure, "Q1103")) return (failure as PublishFailed).failures.get(position) ?? "published";
  return errorOf(failure);
}

function errorOf(failure: unknown): Error {
  return failure instanceof Error
    ? failure
    : new PublishUnknown("Q1102", "the broker failed without saying why", { cause: failure });
}
