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
  readonly isAck: boolean;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Settles deliveries of one channel in batches, whatever the order in which they end. RabbitMQ answers no ack, so each batch ends with a question that it does
 * answer, after everything before it; while that is under way, the next batch gathers.
 */
export class Acks {
  readonly #channel: AckChannel;
  /** Handed out and not settled, in ascending order. */
  readonly #open = new Set<number>();
  #ended: Ending[] = [];
  #isScheduled = false;

  constructor(channel: AckChannel) {
    this.#channel = channel;
  }

  /** How many are not settled. */
  get size(): number {
    return this.#open.size + this.#ended.length;
  }

  /** Tags come in ascending order. */
  delivered(tag: number): void {
    this.#open.add(tag);
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
      this.#open.delete(tag);
      this.#ended.push({ tag, isAck, resolve, reject });
      if (this.#isScheduled) return;
      this.#isScheduled = true;
      setImmediate(() => void this.#flush());
    });
  }

  async #flush(): Promise<void> {
    const batch = this.#ended;
    this.#ended = [];
    try {
      this.#write(batch);
      await this.#channel.barrier();
      for (const { resolve } of batch) resolve();
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
    if (this.#ended.length > 0) setImmediate(() => void this.#flush());
    else this.#isScheduled = false;
  }

  /** Below the lowest tag that is still open, each run of one kind is one frame; quorum queues take many single ones in no order. */
  #write(batch: readonly Ending[]): void {
    const ascending = batch.toSorted((a, b) => a.tag - b.tag);
    const [lowestOpen = Infinity] = this.#open;
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
