import { setImmediate as turn } from "node:timers/promises";
import type { Producer } from "./producer.ts";
import type { Sender, SentReceiver } from "./sender.ts";
import type { Sent, Signature } from "./signature.ts";

/** From here on no more input is read. As many as the producer finds comfortable: those that a schema or middleware keeps, it does not know of. */
const mostUnderWay = 2000;

/** What sends, one by one. */
export interface SendingParts {
  readonly sender: Sender;
  readonly producer: Producer;
}

/**
 * Sends all that `signatures` brings, and reads it only as fast as the broker takes it.
 * @throws the first error, of the input or of a send: then it reads no further, and waits until all that were begun have ended
 */
export async function sendMany(
  signatures: Iterable<Signature> | AsyncIterable<Signature>,
  { sender, producer }: SendingParts,
): Promise<readonly Sent[]> {
  const bulk = new BulkSend(sender);
  try {
    // Without a wait for each where there is nothing to wait for.
    if (Symbol.iterator in signatures) {
      for (const signature of signatures) {
        bulk.begin(signature);
        if (bulk.size % producer.messagesOfTurn === 0) await turn();
        if (!producer.hasRoom || !bulk.hasRoom) await Promise.all([producer.room(), bulk.room()]);
        if (bulk.hasFailed) break;
      }
    } else {
      for await (const signature of signatures) {
        bulk.begin(signature);
        if (bulk.size % producer.messagesOfTurn === 0) await turn();
        if (!producer.hasRoom || !bulk.hasRoom) await Promise.all([producer.room(), bulk.room()]);
        if (bulk.hasFailed) break;
      }
    }
  } finally {
    await bulk.ended();
  }
  return bulk.results();
}

/** Many sends with one end. */
class BulkSend {
  readonly #sender: Sender;
  readonly #sent: (Sent | undefined)[] = [];
  readonly #failures = new Map<number, unknown>();
  #underWay = 0;
  #onEnded: (() => void) | undefined;
  #onRoom: (() => void) | undefined;

  constructor(sender: Sender) {
    this.#sender = sender;
  }

  get size(): number {
    return this.#sent.length;
  }

  get hasFailed(): boolean {
    return this.#failures.size > 0;
  }

  get hasRoom(): boolean {
    return this.#underWay < mostUnderWay;
  }

  /** Resolves when it has. */
  async room(): Promise<void> {
    if (!this.hasRoom) await new Promise<void>((resolve) => (this.#onRoom = resolve));
  }

  begin(signature: Signature): void {
    const place = this.#sent.push(undefined) - 1;
    this.#underWay += 1;
    this.#sender.begin(signature, new Place(this, place));
  }

  sent(place: number, sent: Sent): void {
    this.#sent[place] = sent;
    this.#end();
  }

  failed(place: number, error: unknown): void {
    this.#failures.set(place, error);
    this.#end();
  }

  async ended(): Promise<void> {
    if (this.#underWay > 0) await new Promise<void>((resolve) => (this.#onEnded = resolve));
  }

  /** In the order in which they were begun. @throws what the first of them failed with */
  results(): readonly Sent[] {
    const first = Math.min(...this.#failures.keys());
    if (this.#failures.has(first)) throw this.#failures.get(first);
    return this.#sent.filter((sent) => sent !== undefined);
  }

  #end(): void {
    this.#underWay -= 1;
    if (this.#onRoom !== undefined && this.hasRoom) this.#onRoom();
    if (this.#underWay === 0) this.#onEnded?.();
  }
}

/** Where the answer to one of them belongs. */
class Place implements SentReceiver {
  readonly #bulk: BulkSend;
  readonly #place: number;

  constructor(bulk: BulkSend, place: number) {
    this.#bulk = bulk;
    this.#place = place;
  }

  sent(sent: Sent): void {
    this.#bulk.sent(this.#place, sent);
  }

  failed(error: unknown): void {
    this.#bulk.failed(this.#place, error);
  }
}
