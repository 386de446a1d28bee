import { RedisDelivery } from "./delivery.ts";
import { Incarnation } from "./incarnation.ts";
import type { QueueKeys } from "./keys.ts";
import type { LeaseKeeper } from "./lease-keeper.ts";
import { adopt } from "./scripts/adopt.ts";
import { claim, type Held } from "./scripts/claim.ts";
import { enter } from "./scripts/enter.ts";
import { leave } from "./scripts/leave.ts";
import type { Store } from "./store.ts";

/** What a look into one queue brought. */
export interface Taken {
  readonly deliveries: readonly RedisDelivery[];
  readonly paused: boolean;
  /** Milliseconds until the next delayed message is due. */
  readonly nextDueMs: number | undefined;
  /** The same as server time. */
  readonly nextDueAt: number | undefined;
}

const nothing: Taken = { deliveries: [], paused: false, nextDueMs: undefined, nextDueAt: undefined };

export interface HolderOptions {
  readonly queue: string;
  readonly keeper: LeaseKeeper;
  readonly process: string;
}

/**
 * One consumer's part in one queue: has a lease, takes messages, holds them. When the lease is lost it begins anew, as somebody else.
 */
export class Holder {
  readonly queue: string;
  readonly keys: QueueKeys;
  /** How many of the queue's lists it reads. */
  readonly lists: number;
  readonly #store: Store;
  readonly #options: HolderOptions;
  #incarnation: Incarnation | undefined;
  #entering: Promise<Incarnation> | undefined;
  /** The answer to a claim was lost: some messages may be held without anybody knowing. */
  #isInDoubt = false;
  #leaves = false;
  #left: Promise<void> | undefined;
  readonly #onReleased: () => void;

  /** @param onLost told when what was held is somebody else's */
  constructor(store: Store, options: HolderOptions, onLost: () => void) {
    this.#store = store;
    this.#options = options;
    this.#onReleased = onLost;
    this.queue = options.queue;
    this.keys = store.queues.keysOf(options.queue);
    this.lists = store.queues.listsOf(options.queue);
  }

  /** Who it is now, for a wait in its name. @throws BrokerError */
  async consumerId(): Promise<string> {
    return (await this.#current()).id;
  }

  /** Takes at most `most` messages; with 0 it only hands back what landed. @throws BrokerError */
  async take(most: number): Promise<Taken> {
    const incarnation = await this.#current();
    // What has ended goes out first, on the same connection, and so is not taken for held when this claim's answer is lost.
    incarnation.settler.flush();
    if (this.#isInDoubt && most > 0) {
      const adopted = await this.#adopt(incarnation, most);
      if (adopted.length > 0) return { ...nothing, deliveries: this.#deliveries(incarnation, adopted) };
    }
    const { connection } = this.#store;
    const known = incarnation.tags.size;
    const claimed = await claim(connection, this.keys, { id: incarnation.id, most, lists: this.lists }).catch(
      (error: unknown) => {
        this.#isInDoubt = true;
        throw error;
      },
    );
    if (claimed === undefined) {
      incarnation.lose();
      return this.#leaves ? nothing : await this.take(most);
    }
    const { held, heldBefore, ...queue } = claimed;
    const deliveries = this.#deliveries(incarnation, held);
    // A claim that was given up can be carried out later, by a server that stood still or a client that was sent elsewhere.
    if (most > 0 && heldBefore > known) this.#isInDoubt = true;
    if (!this.#isInDoubt || deliveries.length >= most) return { ...queue, deliveries };
    const adopted = await this.#adopt(incarnation, most - deliveries.length);
    return { ...queue, deliveries: [...deliveries, ...this.#deliveries(incarnation, adopted)] };
  }

  /** Takes no more, and ends the lease when nothing is held any more. */
  retire(): void {
    this.#leaves = true;
    if (this.#incarnation?.isEmpty === true) void this.leave();
  }

  /** Gives back what is held and ends the lease. Never throws. */
  leave(): Promise<void> {
    this.#leaves = true;
    this.#left ??= this.#leave();
    return this.#left;
  }

  /** Stops without a word, as a process that is killed. */
  abandon(): void {
    this.#leaves = true;
    this.#left = Promise.resolve();
    this.#forget();
  }

  async #leave(): Promise<void> {
    const incarnation = this.#incarnation;
    if (incarnation === undefined) return;
    const { connection, logger } = this.#store;
    try {
      await incarnation.settler.drained();
      await leave(connection, this.keys, incarnation.id);
    } catch (error) {
      logger.warn(
        { err: error, queue: this.queue },
        "could not leave the queue; what was held goes to others when the lease ends",
      );
    }
    this.#forget();
    incarnation.lose();
  }

  #forget(): void {
    if (this.#incarnation !== undefined) this.#options.keeper.forget(this.#incarnation.id);
  }

  async #current(): Promise<Incarnation> {
    if (this.#incarnation !== undefined && !this.#incarnation.lost.aborted) return this.#incarnation;
    this.#entering ??= this.#enter().finally(() => {
      this.#entering = undefined;
    });
    return await this.#entering;
  }

  async #enter(): Promise<Incarnation> {
    const { keeper, process, queue } = this.#options;
    const incarnation: Incarnation = new Incarnation(this.#store, {
      keys: this.keys,
      process,
      onLost: () => this.#onLost(incarnation),
      onEmpty: () => {
        if (this.#leaves && this.#incarnation === incarnation) void this.leave();
      },
    });
    const { connection, settings } = this.#store;
    await enter(connection, this.keys, { id: incarnation.id, leaseMs: settings.leaseMs });
    this.#isInDoubt = false;
    this.#incarnation = incarnation;
    keeper.keep({ queue, id: incarnation.id }, () => incarnation.lose());
    return incarnation;
  }

  #onLost(incarnation: Incarnation): void {
    this.#options.keeper.forget(incarnation.id);
    if (this.#left !== undefined) return;
    this.#store.logger.warn(
      { code: "Q4004", queue: this.queue },
      "the lease was lost: what was held here goes to others",
    );
    this.#onReleased();
  }

  async #adopt(incarnation: Incarnation, most: number): Promise<readonly Held[]> {
    const { connection, logger } = this.#store;
    const found = await adopt(connection, this.keys, { id: incarnation.id, most, known: incarnation.tags });
    if (found === undefined) {
      incarnation.lose();
      return [];
    }
    if (found.length < most) this.#isInDoubt = false;
    if (found.length > 0)
      logger.info({ queue: this.queue, messages: found.length }, "found what a lost answer had brought");
    return found;
  }

  #deliveries(incarnation: Incarnation, held: readonly Held[]): readonly RedisDelivery[] {
    return held.map((one) => {
      incarnation.hold(one.tag);
      return new RedisDelivery(this.queue, one, incarnation);
    });
  }
}
