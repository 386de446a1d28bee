import { RedisDelivery } from "./delivery.ts";
import { Incarnation } from "./incarnation.ts";
import type { QueueKeys } from "./keys.ts";
import type { LeaseKeeper } from "./lease-keeper.ts";
import type { Connection } from "./connection.ts";
import { adopt } from "./scripts/adopt.ts";
import { claim, type Held } from "./scripts/claim.ts";
import { enter } from "./scripts/enter.ts";
import { leave } from "./scripts/leave.ts";
import { takeLanded } from "./scripts/take-landed.ts";
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

/** What a wait brought. */
export interface Landed {
  readonly deliveries: readonly RedisDelivery[];
  /** A look may bring more. */
  readonly mayHaveMore: boolean;
}

/** More than any lost answers can have brought before they are looked for. */
const mostGivenBack = 1000;

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
  /** The answer to a claim or a wait was lost: some messages may be held without anybody knowing. */
  #isInDoubt = false;
  /** The last claim, or look for what nobody has heard of. */
  #turn: Promise<void> = Promise.resolve();
  #adopting: Promise<unknown> | undefined;
  /** For each wait without an answer, what was adopted since it began: maybe its own, which it must not hand out again. */
  readonly #adoptedSince = new Set<Set<number>>();
  /** Messages that waits have brought. */
  #broughtByWaits = 0;
  #leaves = false;
  #left: Promise<void> | undefined;
  #hasLeft = false;
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
  async current(): Promise<Incarnation> {
    if (this.#incarnation !== undefined && !this.#incarnation.lost.aborted) return this.#incarnation;
    this.#entering ??= this.#enter().finally(() => {
      this.#entering = undefined;
    });
    return await this.#entering;
  }

  /** It will never hold anything again, and nothing is to be done for it any more. */
  get hasLeft(): boolean {
    return this.#hasLeft;
  }

  /** It has a lease, as far as it knows. */
  get isThere(): boolean {
    return this.#left === undefined && this.#incarnation?.lost.aborted === false;
  }

  /** Something may be held of which nobody has heard. */
  get isInDoubt(): boolean {
    return this.#isInDoubt;
  }

  /** Takes at most `most` messages. @throws BrokerError */
  take(most: number): Promise<Taken> {
    return this.#inTurn(() => this.#take(most));
  }

  /** One after the other: who asks what is held without anybody knowing must not be told of what a claim under way brings. Rejects as `step` does. */
  #inTurn<T>(step: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(step);
    const ended = (): void => undefined;
    this.#turn = result.then(ended, ended);
    return result;
  }

  /** With 0 it only hands back what landed. */
  async #take(most: number): Promise<Taken> {
    const incarnation = await this.current();
    // What has ended goes out first, on the same connection, and so is not taken for held when this claim's answer is lost.
    incarnation.settler.flush();
    if (this.#isInDoubt && most > 0) {
      const adopted = await this.#adopt(incarnation, most);
      if (adopted.length > 0) return { ...nothing, deliveries: this.#deliveries(incarnation, adopted) };
    }
    const { connection } = this.#store;
    const known = incarnation.held.size - this.#broughtByWaits;
    const { id, lastFence } = incarnation;
    const claimed = await claim(connection, this.keys, { id, most, lists: this.lists, lastFence }).catch(
      (error: unknown) => {
        this.#isInDoubt = true;
        throw error;
      },
    );
    if (claimed === undefined) {
      incarnation.lose();
      return this.#leaves ? nothing : await this.#take(most);
    }
    const { held, heldBefore, ...queue } = claimed;
    const deliveries = this.#deliveries(incarnation, held);
    // A claim that was given up can be carried out later, by a server that stood still or a client that was sent elsewhere.
    if (most > 0 && heldBefore > known + this.#broughtByWaits) this.#isInDoubt = true;
    if (!this.#isInDoubt || deliveries.length >= most) return { ...queue, deliveries };
    // What was claimed is in nobody else's hands: it is handed out, and the next look asks again.
    const adopted = await this.#adopt(incarnation, most - deliveries.length).catch(() => []);
    return { ...queue, deliveries: [...deliveries, ...this.#deliveries(incarnation, adopted)] };
  }

  /**
   * Takes what a wait of this incarnation lands in one list, and at most `most` with what is behind it. Written right behind that wait, on its
   * connection, it is carried out as soon as something has landed, and is answered together with the wait.
   * @throws BrokerError
   */
  async takeLanded(
    waiting: Connection,
    incarnation: Incarnation,
    { list, most }: { readonly list: number; readonly most: number },
  ): Promise<Landed> {
    const adopted = new Set<number>();
    this.#adoptedSince.add(adopted);
    try {
      const { id, lastFence } = incarnation;
      const taken = await takeLanded(waiting, this.keys, { id, list, most, lastFence });
      // It was asked on another connection, and may have found the same.
      while (this.#adopting !== undefined) await this.#adopting;
      if (taken === undefined) incarnation.lose();
      if (taken === undefined || incarnation.lost.aborted) return { deliveries: [], mayHaveMore: true };
      const held = taken.held.filter(({ fence }) => !adopted.has(fence));
      this.#broughtByWaits += held.length;
      return { deliveries: this.#deliveries(incarnation, held), mayHaveMore: taken.ready > 0 };
    } catch (error) {
      // It may have been carried out.
      this.#isInDoubt = true;
      throw error;
    } finally {
      this.#adoptedSince.delete(adopted);
    }
  }

  /** What landed and nobody here takes is for somebody else, and so is what answers that were lost have brought. @throws BrokerError */
  async giveBackUnheard(): Promise<void> {
    const found = await this.#inTurn(() => this.#findUnheard());
    // Each goes to the head, so the last one goes first.
    await Promise.all(found.toReversed().map((delivery) => delivery.settle({ kind: "release" })));
  }

  async #findUnheard(): Promise<readonly RedisDelivery[]> {
    await this.#take(0);
    const incarnation = this.#incarnation;
    if (!this.#isInDoubt || incarnation === undefined || incarnation.lost.aborted) return [];
    return this.#deliveries(incarnation, await this.#adopt(incarnation, mostGivenBack));
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
    this.#hasLeft = true;
  }

  #forget(): void {
    if (this.#incarnation !== undefined) this.#options.keeper.forget(this.#incarnation.id);
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
    const { id } = incarnation;
    const before = this.#incarnation?.id;
    await enter(connection, this.keys, { id, leaseMs: settings.leaseMs, before });
    if (before !== undefined) await this.#redeclare();
    this.#isInDoubt = false;
    this.#incarnation = incarnation;
    keeper.keep({ queue, id }, () => incarnation.lose());
    return incarnation;
  }

  /** Who has lost its lease may have done so because Redis forgot everything: then nobody finds the queue. Never throws: it works all the same. */
  async #redeclare(): Promise<void> {
    const { connection, queues, logger } = this.#store;
    await queues.enterAgain(connection, this.queue).catch((error: unknown) => {
      logger.debug({ err: error, queue: this.queue }, "the queue could not be declared again");
    });
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
    const adopting = this.#askForUnheard(incarnation, most);
    this.#adopting = adopting.catch(() => undefined);
    try {
      return await adopting;
    } finally {
      this.#adopting = undefined;
    }
  }

  async #askForUnheard(incarnation: Incarnation, most: number): Promise<readonly Held[]> {
    const { connection, logger } = this.#store;
    // Before it is asked: a doubt that comes up meanwhile stays.
    this.#isInDoubt = false;
    try {
      const found = await adopt(connection, this.keys, { id: incarnation.id, most, known: incarnation.held });
      if (found === undefined) {
        incarnation.lose();
        return [];
      }
      for (const adopted of this.#adoptedSince) for (const { fence } of found) adopted.add(fence);
      if (found.length >= most) this.#isInDoubt = true;
      if (found.length > 0)
        logger.info({ queue: this.queue, messages: found.length }, "found what a lost answer had brought");
      return found;
    } catch (error) {
      this.#isInDoubt = true;
      throw error;
    }
  }

  #deliveries(incarnation: Incarnation, held: readonly Held[]): readonly RedisDelivery[] {
    return held.map((one) => {
      incarnation.hold(one.fence);
      return new RedisDelivery(this.queue, one, incarnation);
    });
  }
}
