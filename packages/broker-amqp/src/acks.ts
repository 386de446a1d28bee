/** The part of a channel that settles deliveries. */
export interface AckChannel {
  /** @param multiple all up to this one, that have not been settled yet */
  ack(tag: number, multiple: boolean): void;
  /** Back to where it was. As `ack`. */
  requeue(tag: number, multiple: boolean): void;
  /** Resolves when the server has dealt with everything before it. */
  barrier(): Promise<void>;
}

interface Ending {
  readonly tag: number;
  readonly consumer: string;
  readonly isAck: boolean;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Settles deliveries of one channel in batches, whatever the order in which they end. RabbitMQ answers no ack, so a question that it does answer follows;
 * while that is under way, acks go out, and wait for the next one.
 */
export class Acks {
  readonly #channel: AckChannel;
  /** Handed out and not settled, in ascending order, with the consumer that got it. */
  readonly #open = new Map<number, string>();
  /** To be written at the end of this turn of the event loop. */
  #ended: Ending[] = [];
  /** Written after the question that is under way. */
  #written: Ending[] = [];
  /** How many wait for the answer to the question that is under way. */
  #asked = 0;
  #isHeld = false;
  #onIdle: (() => void) | undefined;

  constructor(channel: AckChannel) {
    this.#channel = channel;
  }

  /** How many are not settled, as far as the server has said. */
  get size(): number {
    return this.#open.size + this.#ended.length + this.#written.length + this.#asked;
  }

  /** Resolves when all are settled. For when no more are delivered. */
  idle(): Promise<void> {
    return this.size === 0 ? Promise.resolve() : new Promise((resolve) => (this.#onIdle = resolve));
  }

  /** Tags come in ascending order. */
  delivered(tag: number, consumer: string): void {
    this.#open.set(tag, consumer);
  }

  /** From now on nothing is written, so that the server hands out no more than it may. */
  hold(): void {
    this.#isHeld = true;
  }

  /** Writes what has been settled since `hold`. */
  goOn(): void {
    this.#isHeld = false;
    this.#flush();
  }

  /** How many of a consumer the server knows to be out, while they are held. */
  heldOf(consumer: string): number {
    const isIts = (name: string): boolean => name === consumer;
    return [...this.#open.values(), ...this.#ended.map((ending) => ending.consumer)].filter(isIts).length;
  }

  /** Resolves when the server has it. Rejects when the channel ends before that. */
  ack(tag: number): Promise<void> {
    return this.#end(tag, true);
  }

  /** Gives it back. As `ack`. */
  requeue(tag: number): Promise<void> {
    return this.#end(tag, false);
  }

  #end(tag: number, isAck: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const consumer = this.#open.get(tag) ?? "";
      this.#open.delete(tag);
      this.#ended.push({ tag, consumer, isAck, resolve, reject });
      if (this.#ended.length === 1) setImmediate(() => this.#flush());
    });
  }

  #flush(): void {
    if (this.#isHeld || this.#ended.length === 0) return;
    const batch = this.#ended;
    this.#ended = [];
    try {
      this.#write(batch);
    } catch (error) {
      for (const { reject } of batch) reject(error);
      return;
    }
    this.#written.push(...batch);
    if (this.#asked === 0) void this.#ask();
  }

  /** Never rejects. */
  async #ask(): Promise<void> {
    while (this.#written.length > 0) {
      const batch = this.#written;
      this.#written = [];
      this.#asked = batch.length;
      try {
        await this.#channel.barrier();
        for (const { resolve } of batch) resolve();
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
      this.#asked = 0;
    }
    if (this.size === 0) this.#onIdle?.();
  }

  /** Below the lowest tag that is still open, each run of one kind is one frame; quorum queues take many single ones in no order. */
  #write(batch: readonly Ending[]): void {
    const ascending = batch.toSorted((a, b) => a.tag - b.tag);
    const [lowestOpen = Infinity] = this.#open.keys();
    let runLength = 0;
    for (const [index, { tag, isAck }] of ascending.entries()) {
      const next = ascending[index + 1];
      runLength += 1;
      if (next !== undefined && next.tag < lowestOpen && next.isAck === isAck) continue;
      const multiple = runLength > 1;
      runLength = 0;
      if (isAck) this.#channel.ack(tag, multiple);
      else this.#channel.requeue(tag, multiple);
    }
  }
}
