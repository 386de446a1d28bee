import type { BrokerMessage, MalformedMessage } from "@q/core/broker";
import type { Decoded } from "./envelope.ts";
import type { HeldSince } from "./hold-limit.ts";
import { markKey } from "./marks.ts";
import type { Session } from "./session.ts";

/** How the server has handed a message over. */
export interface Handover {
  readonly queue: string;
  readonly tag: number;
  readonly session: Session;
  /** Whether it had handed it out before. */
  readonly redelivered: boolean;
  /** Monotonic milliseconds. */
  readonly at: number;
}

/** A message that has come in a session and is not settled. */
export class Arrival implements HeldSince {
  readonly queue: string;
  readonly tag: number;
  readonly session: Session;
  readonly heldSince: number;
  readonly message: BrokerMessage | MalformedMessage;
  /** How often the server has handed it out before, where it counts. */
  readonly deliveries: number;
  /** Workers that died of it; what was written down, until it is known. */
  crashes: number;
  /** Whether `crashes` is known. */
  isSorted: boolean;
  #key: string | undefined;

  constructor({ message, crashes, deliveries }: Decoded, { queue, tag, session, redelivered, at }: Handover) {
    this.queue = queue;
    this.tag = tag;
    this.session = session;
    this.heldSince = at;
    this.message = message;
    this.deliveries = deliveries;
    this.crashes = crashes;
    this.isSorted = !redelivered;
  }

  describe(): string {
    return "malformed" in this.message ? "(malformed)" : this.message.id;
  }

  /** Its name among the marks. */
  get key(): string {
    return (this.#key ??= markKey(this.message));
  }
}
