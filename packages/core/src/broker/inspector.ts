import type { JsonObject } from "../json.ts";
import type { BrokerMessage, MalformedMessage } from "./broker-message.ts";
import type { DeadReason } from "./delivery.ts";

/** Numbers of one queue. `null`: this broker cannot tell. */
export interface QueueStats {
  readonly queue: string;
  /** Could be delivered now. */
  readonly ready: number | null;
  /** Waits for its time: countdowns, retries, parked. */
  readonly delayed: number | null;
  /** In the hands of consumers. */
  readonly inFlight: number | null;
  readonly dead: number | null;
  /** Milliseconds for which the oldest ready message has been ready. 0 when there is none. */
  readonly oldestReadyMs: number | null;
  /** Processes that consume it now. */
  readonly consumers: number | null;
  readonly paused: boolean;
}

/** A slice of a list, with the place to go on from. */
export interface Page<T> {
  readonly items: readonly T[];
  /** Hand it to the next call. `null` at the end. Opaque. */
  readonly next: string | null;
}

export interface PageOptions {
  /** 1 to 1000. */
  readonly limit: number;
  /** `next` of the page before; absent for the first. */
  readonly cursor?: string | undefined;
}

/** A message that nobody will run any more unless a person says so. */
export interface DeadLetter {
  /** Names this entry, not the message: a message that died twice has two. */
  readonly entryId: string;
  readonly message: BrokerMessage | MalformedMessage;
  readonly reason: DeadReason;
  /** Epoch milliseconds, by the broker's clock. */
  readonly diedAt: number;
  /** Bytes of the stored message, body and headers. */
  readonly size: number;
}

/** A dead letter to put back. */
export interface Redrive {
  readonly entryId: string;
  /** Replaces the whole header table, when given: a person's retry starts counting anew. */
  readonly headers?: JsonObject;
}

export type WaitingState = "ready" | "delayed" | "in-flight";

/** A message seen without being taken. */
export interface PeekedMessage {
  readonly message: BrokerMessage | MalformedMessage;
  readonly state: WaitingState;
  /** Epoch milliseconds of the earliest delivery; for what is ready, since when. `null` when unknown. */
  readonly dueAt: number | null;
}

/** What an operator can see and do. Reading never changes a queue. Every method throws BrokerError when the broker cannot be reached. */
export interface QueueInspector {
  /** Every queue that the broker knows, in order of name. */
  queues(): Promise<readonly string[]>;
  stats(queue: string): Promise<QueueStats>;
  /** Why some figures of `stats` are `null`, a sentence for people. Absent where none is. */
  readonly gaps?: string;
  /** Next to be delivered first, within the state. Absent where looking would disturb the queue. */
  readonly peek?: (queue: string, state: WaitingState, options: PageOptions) => Promise<Page<PeekedMessage>>;
  /** Deletes what is ready or delayed, leaves what is in flight; answers how many. */
  purge(queue: string): Promise<number>;
  /** Consumers of this queue, in every process, stop fetching until `resume`. What they hold goes on. */
  pause(queue: string): Promise<void>;
  resume(queue: string): Promise<void>;
  /** Newest first. */
  deadLetters(queue: string, options: PageOptions): Promise<Page<DeadLetter>>;
  /**
   * Puts dead letters back at the tail of their queue, ready, with a crash count of zero; answers how many there were. What is malformed stays
   * dead. One atomic step each: never two copies, never none.
   */
  redrive(queue: string, entries: readonly Redrive[]): Promise<number>;
  /** Deletes dead letters for good; answers how many there were. */
  drop(queue: string, entryIds: readonly string[]): Promise<number>;
}
