import type { JsonObject } from "../json.ts";
import type { BrokerMessage, MalformedMessage } from "./broker-message.ts";

/**
 * Why a message is dead. Stored with it, shown to people, never interpreted by a broker.
 * At most 16 KiB as JSON; core cuts what is longer.
 */
export interface DeadReason {
  /** `failed`, `retries-exhausted`, `rejected`, `expired`, `poison`, `unknown-task`, `malformed`, `unstorable`: open for more. */
  readonly code: string;
  /** One line: what happened. */
  readonly message: string;
  /** The error with its stack and its chain of causes, where there was one. */
  readonly error?: JsonObject;
  /** Name of the worker that gave up. */
  readonly worker?: string;
}

/** What becomes of a delivery. Core decides; the broker carries it out in one atomic step where its store allows one. */
export type Outcome =
  /** Done: forget the message. */
  | { readonly kind: "ack" }
  /**
   * Deliver it again, not before `delayMs` milliseconds, behind what already waits. `headers`, when given, replaces the
   * whole header table. The crash count starts at zero again: the message came out of this worker alive.
   */
  | { readonly kind: "requeue"; readonly delayMs: number; readonly headers?: JsonObject }
  /** Undo the delivery: back to the head of the queue, unchanged, its crash count kept. For work that was not finished at shutdown. */
  | { readonly kind: "release" }
  /** Move it to the dead letters, with the reason. */
  | { readonly kind: "bury"; readonly reason: DeadReason };

/** `lost`: somebody else owns the message now, and nothing was changed. */
export type Settled = "settled" | "lost";

/** One handing-out of one message to one consumer. */
export interface Delivery {
  readonly message: BrokerMessage | MalformedMessage;
  /**
   * How many workers died holding this message since it was last put into the queue. The first death counts for everything the
   * dead worker held; from then on the message is a suspect, and only deaths after `start()` count. Hence a neighbour never gets past 1.
   */
  readonly crashes: number;
  /** A number that grows with each delivery of the same message, where the broker has one. */
  readonly fence?: number | undefined;
  /** Aborts when this consumer no longer holds the message: its lease ran out, or its connection is gone. */
  readonly lost: AbortSignal;
  /**
   * Records, before a suspect runs, that it is about to. Core calls it only when `crashes > 0`, and runs one suspect at a time.
   * `lost` means that it must not run.
   * @throws BrokerError when the broker cannot be reached
   */
  start(): Promise<Settled>;
  /**
   * Ends the delivery. Fenced: when another consumer holds the message now, nothing changes and the answer is `lost`.
   * A second call on the same delivery answers `lost`. May be batched with others; resolves when the store has it.
   * @throws BrokerError when the broker cannot be reached; what it did is then unknown, and the message may be delivered again
   */
  settle(outcome: Outcome): Promise<Settled>;
}
