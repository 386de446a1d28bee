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
}

/** What has ended in one turn of the event loop. All of it has the same answer, and hence one promise. */
class Batch {
  readonly endings: Ending[] = [];
  readonly answer: Promise<void>;
  resolve!: () => void;
  reject!: (error: unknown) => void;

  constructor() {
    this.answer = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }
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
  #ended = new Batch();
  /** Written after the question that is under way. */
  #written: Batch[] = [];
  /** How many wait for the answer to the question that is under way. */
  #asked = 0;
  #isHeld = false;
  #onIdle: (() => void) | undefined;

  constructor(channel: AckChannel) {
    this.#channel = channel;
  }

  /** How many are not settled, as far as the server has said. */
  get size(): number {
    return this.#open.size + this.#ended.endings.length + sizeOf(this.#written) + this.#asked;
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
    return [...this.#open.values(), ...this.#ended.endings.map((ending) => ending.consumer)].filter(isIts).length;
  }

  /** Resolves when the server has it. Rejects when the channel ends before that. All of one turn of the event loop get the same promise. */
  ack(tag: number): Promise<void> {
    return this.#end(tag, true);
  }

  /** Gives it back. As `ack`. */
  requeue(tag: number): Promise<void> {
    return this.#end(tag, false);
  }

  #end(tag: number, isAck: boolean): Promise<void> {
    const batch = this.#ended;
    const consumer = this.#open.get(tag) ?? "";
    this.#open.delete(tag);
    if (batch.endings.push({ tag, consumer, isAck }) === 1) setImmediate(() => this.#flush());
    return batch.answer;
  }

  #flush(): void {
    const batch = this.#ended;
    if (this.#isHeld || batch.endings.length === 0) return;
    this.#ended = new Batch();
    try {
      this.#write(batch.endings);
    } catch (error) {
      return batch.reject(error);
    }
    this.#written.push(batch);
    if (this.#asked === 0) void this.#ask();
  }

  /** Never rejects. */
  async #ask(): Promise<void> {
    while (this.#written.length > 0) {
      const batches = this.#written;
      this.#written = [];
      this.#asked = sizeOf(batches);
      try {
        await this.#channel.barrier();
        for (const { resolve } of batches) resolve();
      } catch (error) {
        for (const { reject } of batches) reject(error);
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

function sizeOf(batches: readonly Batch[]): number {
  return batches.reduce((sum, { endings }) => sum + endings.length, 0);
}
