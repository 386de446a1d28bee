import type { BrokerMessage, MalformedMessage } from "@q/core/broker";
import { markKey } from "./marks.ts";
import type { Session } from "./session.ts";

/** A message that has come in a session and is not settled. */
export class Arrival {
  readonly queue: string;
  readonly tag: number;
  readonly session: Session;
  readonly message: BrokerMessage | MalformedMessage;
  /** How often the server has handed it out before, where it counts. */
  readonly deliveries: number;
  /** Workers that died of it; what was written down, until it is known. */
  crashes: number;
  /** Whether `crashes` is known. */
  isSorted: boolean;
  #key: string | undefined;

  constructor(
    facts: Pick<Arrival, "queue" | "tag" | "session" | "message" | "deliveries" | "crashes"> & {
      readonly redelivered: boolean;
    },
  ) {
    this.queue = facts.queue;
    this.tag = facts.tag;
    this.session = facts.session;
    this.message = facts.message;
    this.deliveries = facts.deliveries;
    this.crashes = facts.crashes;
    this.isSorted = !facts.redelivered;
  }

  /** Its name among the marks. */
  get key(): string {
    return (this.#key ??= markKey(this.message));
  }
}
