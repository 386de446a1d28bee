import { BrokerError, PublishRejected, PublishUnknown } from "../broker/broker-error.ts";
import type { Held, Holder } from "./held.ts";

/** `new` → `open` ⇄ `closed`; `crashed` for good, as a dead process. */
export type ConnectionState = "new" | "open" | "closed" | "crashed";

/** What a cut swallows: the requests (nothing happens) or only the replies (it happens, and nobody hears of it). */
export type CutLosing = "requests" | "replies";

/** One process's line to the store, which a test can cut. */
export class MemoryConnection implements Holder {
  readonly held: Set<Held> = new Set();
  state: ConnectionState = "new";
  cut: CutLosing | undefined;

  get connected(): boolean {
    return this.state === "open" && this.cut === undefined;
  }

  /** @throws BrokerError `Q1010` after a crash */
  open(): void {
    if (this.state === "crashed")
      throw new BrokerError("Q1010", "the memory broker has crashed", { hint: "make a new one on the same store" });
    this.state = "open";
  }

  close(): void {
    if (this.state !== "open") return;
    this.state = "closed";
    // Left over from a cut line: nobody can settle them any more.
    for (const held of this.held) held.onLost?.();
  }

  /**
   * Asks the store.
   * @throws BrokerError `Q1001` when the line is cut, `Q1010` when the broker is not open
   */
  request<T>(ask: () => T): T {
    this.#mustBeOpen();
    if (this.cut === "requests") throw unreachable();
    const answer = ask();
    if (this.cut === "replies") throw new BrokerError("Q1001", "the memory store did not answer: the line is cut");
    return answer;
  }

  /**
   * As `request`, for messages: whatever the cut swallows, none is handed to somebody who would not hear of it, and hold it for good.
   * @throws BrokerError as `request`
   */
  fetch<T>(ask: () => T): T {
    if (this.state === "open" && this.cut !== undefined) throw unreachable();
    return this.request(ask);
  }

  /**
   * As `request`, with the errors of publishing.
   * @throws PublishRejected nothing was stored; PublishUnknown it was, and the reply got lost
   */
  requestPublish<T>(ask: () => T): T {
    if (this.state !== "open" || this.cut === "requests") {
      const why =
        this.state === "open" ? "the line to the memory store is cut" : `the memory broker is ${this.#stateInWords()}`;
      throw new PublishRejected("Q1101", `nothing was published: ${why}`);
    }
    const answer = ask();
    if (this.cut === "replies") throw new PublishUnknown("Q1102", "the memory store did not answer: the line is cut");
    return answer;
  }

  #mustBeOpen(): void {
    if (this.state === "open") return;
    throw new BrokerError("Q1010", `the memory broker is ${this.#stateInWords()}`, { hint: "call open() first" });
  }

  #stateInWords(): string {
    return this.state === "new" ? "not open yet" : this.state;
  }
}

function unreachable(): BrokerError {
  return new BrokerError("Q1001", "the memory store cannot be reached: the line is cut");
}
