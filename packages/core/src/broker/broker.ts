import type { Logger } from "../logger.ts";
import type { OutgoingMessage } from "./broker-message.ts";
import type { ControlBus } from "./control-bus.ts";
import type { Delivery } from "./delivery.ts";
import type { QueueInspector } from "./inspector.ts";
import type { LeaseStore } from "./lease-store.ts";
import type { OncePublisher } from "./once.ts";
import type { ScheduleStore } from "./schedule-store.ts";

/** A queue as an app declares it. */
export interface QueueOptions {
  readonly name: string;
  /** Whether messages of higher priority go first. Default false: strictly in order. */
  readonly priorities: boolean;
}

/** What a broker is given when it is opened. */
export interface BrokerContext {
  readonly logger: Logger;
}

export interface ConsumeOptions {
  /** Most deliveries that may be in the consumer's hands at once, handed out and not settled. At least 1. */
  readonly prefetch: number;
}

/** Queues being consumed by one process. Survives reconnects by itself. */
export interface Consumer {
  /**
   * Monotonic milliseconds (`Clock.monotonic`) at which the broker was last known to answer: a fetch that returned, also an empty one, or a heartbeat.
   * Moves at least every 10 s while the consumer may take more; a watchdog rebuilds one whose mark stands still for 30 s.
   */
  readonly heardAt: number;
  /** Changes how many deliveries may be in hand. Lowering it takes nothing back. */
  resize(prefetch: number): void;
  /**
   * Stops fetching. Resolves when no further delivery will be handed out; those that were stay valid and can be settled.
   * May be called twice. Never throws.
   */
  stop(): Promise<void>;
}

/** For how long a store lets a living worker hold a message. */
export interface HoldLimit {
  readonly ms: number;
  /** How to raise it, for people. */
  readonly hint: string;
}

/** How core joins the sends of one queue to calls of `publish`. */
export interface PublishLimits {
  /** Messages that one call has at most. Each of its senders waits for all of them. */
  readonly messagesOfCall: number;
  /** As soon as so many wait, a call leaves and is stored while the next one is made; fewer leave together when the tick ends. Default: `messagesOfCall`. */
  readonly leavesAt?: number;
  /** Calls that may be under way at a time, one being stored while the next is made. What waits is shared among them. */
  readonly callsAtOnce: number;
}

/**
 * Stores and moves messages. A broker reads no body and knows no tasks, retries or policies: those live in core.
 * Making one does no I/O. Optional parts are present or absent; there is no method that throws "not supported".
 */
export interface Broker {
  /** The kind, for logs and errors: `redis`. */
  readonly name: string;
  /** Where it is, for people, without credentials: `redis://cache:6379/0`. */
  readonly address: string;
  readonly connected: boolean;
  /**
   * First I/O. A second call while open does nothing.
   * @throws BrokerError `Q1001` unreachable, `Q1002` login refused, others by adapter. Every other method throws `Q1010` while it is not open
   */
  open(context: BrokerContext): Promise<void>;
  /**
   * Makes sure the queues exist. Declaring one again changes nothing.
   * @throws BrokerError `Q1004` when a queue exists in another shape; it is then left as it is
   */
  declare(queues: readonly QueueOptions[]): Promise<void>;
  /**
   * Resolves when the broker has taken responsibility for every message: a reply, a confirm, a COMMIT. Never hangs.
   * Order within one call is kept per queue and priority. Core declares a queue before it publishes to it.
   * @throws PublishRejected it said no or is not open, nothing was stored; PublishUnknown no answer in time, some may be stored;
   * PublishFailed when these differ by message
   */
  publish(messages: readonly OutgoingMessage[]): Promise<void>;
  /** Default: calls of up to 1,000 messages, one at a time. Otherwise for brokers that confirm messages as they come. */
  readonly publishLimits?: PublishLimits;
  /**
   * Hands messages of these queues to `onDelivery`, never more than `prefetch` at a time. Queues are served in turns;
   * a name that stands in the list n times gets n turns. `onDelivery` must not throw.
   */
  consume(
    queues: readonly string[],
    options: ConsumeOptions,
    onDelivery: (delivery: Delivery) => void,
  ): Promise<Consumer>;
  /** Gives held messages back, ends every activity, disconnects. Takes 5 s at most, may be called twice, never throws. */
  close(): Promise<void>;

  /** Absent: a delivery may be held for as long as its holder lives. Otherwise it is taken back after that, and `lost` aborts. */
  readonly holdLimit?: HoldLimit;
  readonly once?: OncePublisher;
  readonly inspector?: QueueInspector;
  readonly control?: ControlBus;
  readonly leases?: LeaseStore;
  readonly schedules?: ScheduleStore;
}

/** Makes a broker from a URL. Each adapter exports one under its own name. */
export interface BrokerFactory {
  (url: string): Broker;
  /** URL schemes it answers to, with the colon: `["redis:", "rediss:"]`. */
  readonly schemes: readonly string[];
}
