import type { Channel, ConsumeMessage } from "amqplib";
import {
  BrokerError,
  hasCode,
  sleep,
  type BrokerMessage,
  type DeadLetter,
  type Page,
  type PageOptions,
  type Redrive,
} from "@q/core/broker";
import { amqpError, replyCode, replyCodeOf } from "./amqp-error.ts";
import { readDeadLetter } from "./dead-letter.ts";
import type { Link } from "./link.ts";
import { deadQueue } from "./names.ts";
import type { Store } from "./store.ts";

/** Milliseconds without another dead letter after which a look has seen all there are. */
const longestSilenceMs = 1000;

/** A dead letter that is held while somebody looks. */
interface Found {
  readonly letter: DeadLetter;
  readonly delivery: ConsumeMessage;
}

/**
 * Dead letters of a queue, in a queue of their own. RabbitMQ shows what is in a queue only to who takes it, so a look takes all of it, under a lock, and
 * lets it go back in its order.
 */
export class DeadLetters {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  count(queue: string): Promise<number> {
    // While somebody looks, they are in his hands.
    return this.#locked(queue, (link) => this.#countOn(link, queue));
  }

  async list(queue: string, { limit, cursor }: PageOptions): Promise<Page<DeadLetter>> {
    const letters = await this.#look(queue, (found) => Promise.resolve(found.map(({ letter }) => letter)));
    const newestFirst = letters.toReversed();
    const start = cursor === undefined ? 0 : startAfter(newestFirst, cursor);
    const end = start + Math.min(Math.max(Math.trunc(limit), 1), 1000);
    const items = newestFirst.slice(start, end);
    const last = items.at(-1);
    return { items, next: last === undefined || end >= newestFirst.length ? null : `${last.diedAt}.${last.entryId}` };
  }

  async redrive(queue: string, entries: readonly Redrive[]): Promise<number> {
    const wanted = new Map(entries.map((entry) => [entry.entryId, entry]));
    return await this.#look(queue, async (found, forget) => {
      let count = 0;
      for (const { letter, delivery } of found) {
        const entry = wanted.get(letter.entryId);
        // What no consumer could read would only die again.
        if (entry === undefined || "malformed" in letter.message) continue;
        wanted.delete(letter.entryId);
        const { headers = letter.message.headers } = entry;
        if (!(await this.#storeAgain({ ...letter.message, headers }))) continue;
        forget(delivery);
        count += 1;
      }
      return count;
    });
  }

  async drop(queue: string, entryIds: readonly string[]): Promise<number> {
    const unwanted = new Set(entryIds);
    return await this.#look(queue, (found, forget) => {
      const dropped = found.filter(({ letter }) => unwanted.delete(letter.entryId));
      for (const { delivery } of dropped) forget(delivery);
      return Promise.resolve(dropped.length);
    });
  }

  /** Whether it is in its queue now. */
  async #storeAgain(message: BrokerMessage): Promise<boolean> {
    try {
      await this.#store.publisher.storeAgain(message, {});
      return true;
    } catch (error) {
      // What is no message of q, one without an id for example, stays where it is, and the others do not.
      if (hasCode(error, "Q1101")) return false;
      throw error;
    }
  }

  /** Hands all of them over, the oldest first. Those that are not forgotten are there again when this ends. */
  #look<T>(
    queue: string,
    work: (found: readonly Found[], forget: (delivery: ConsumeMessage) => void) => Promise<T>,
  ): Promise<T> {
    return this.#locked(queue, async (link) => {
      const count = await this.#countOn(link, queue);
      if (count === 0) return await work([], () => undefined);
      return await link.scratch(async (channel) => {
        const deliveries = await this.#take(link, channel, { queue, count });
        const found = deliveries.map((delivery) => ({ letter: readDeadLetter(delivery, queue), delivery }));
        let left = found.length;
        const result = await work(found, (delivery) => {
          channel.ack(delivery);
          left -= 1;
        });
        if (left > 0) await this.#letGo(link, channel, { queue, count: left });
        return result;
      });
    });
  }

  /** Resolves when `count` have come, or no more do. */
  async #take(
    link: Link,
    channel: Channel,
    { queue, count }: { readonly queue: string; readonly count: number },
  ): Promise<readonly ConsumeMessage[]> {
    const { clock } = this.#store;
    const taken: ConsumeMessage[] = [];
    const complete = new AbortController();
    await link.call(channel.prefetch(0, false));
    const { consumerTag } = await link.call(
      channel.consume(deadQueue(queue), (found) => {
        if (found !== null && taken.length < count) taken.push(found);
        if (found === null || taken.length === count) complete.abort();
      }),
    );
    // Until nothing has come for a while: a person may have taken some meanwhile.
    for (let before = -1; before < taken.length && !link.lost.aborted;) {
      before = taken.length;
      if (!(await sleep(clock, longestSilenceMs, complete.signal))) break;
    }
    // Or it would be handed what it lets go.
    await link.call(channel.cancel(consumerTag));
    return taken;
  }

  /** Resolves when they are there for the next one who looks: a quorum queue takes them back in its own time. */
  async #letGo(
    link: Link,
    channel: Channel,
    { queue, count }: { readonly queue: string; readonly count: number },
  ): Promise<void> {
    const { clock } = this.#store;
    const until = clock.monotonic() + longestSilenceMs;
    channel.nackAll(true);
    while ((await this.#countOn(link, queue)) < count && clock.monotonic() < until) await sleep(clock, 5);
  }

  async #countOn(link: Link, queue: string): Promise<number> {
    try {
      return (await link.ask((channel) => channel.checkQueue(deadQueue(queue)))).messageCount;
    } catch (error) {
      if (replyCodeOf(error) === replyCode.missing) return 0;
      throw error;
    }
  }

  async #locked<T>(queue: string, work: (link: Link) => Promise<T>): Promise<T> {
    const { locks, quiet, settings } = this.#store;
    try {
      return await locks.hold(`dead.${queue}`, async () => await work(await (await quiet()).ready()));
    } catch (error) {
      throw amqpError(error, settings.address);
    }
  }
}

/** Where the page after this place begins: after its entry, or where it was when it is gone. */
function startAfter(newestFirst: readonly DeadLetter[], cursor: string): number {
  const [, diedAt, entryId] = /^(\d+)\.(.+)$/.exec(cursor) ?? [];
  if (diedAt === undefined || entryId === undefined) {
    throw new BrokerError("Q1013", `${JSON.stringify(cursor)} is not a cursor of this list`, {
      hint: "start again without one",
    });
  }
  const at = newestFirst.findIndex((letter) => letter.entryId === entryId);
  if (at !== -1) return at + 1;
  const older = newestFirst.findIndex((letter) => letter.diedAt < Number(diedAt));
  return older === -1 ? newestFirst.length : older;
}
