import { sleep, type Clock, type QError } from "@q/core/broker";
import type { Ballast } from "./ballast.ts";
import { notOpen, type Connection } from "./connection.ts";
import { LockWait } from "./lock-wait.ts";
import { diskFull, isBusy, isDiskFull, locked, toBrokerError } from "./sqlite-error.ts";

/** How a write is treated. */
export interface WriteOptions {
  /**
   * Answer only when the disk has it, so that a power failure cannot undo it. Default false: it survives the death of every process. A power
   * failure then undoes the last of these, in which case a message is delivered again; it is never lost.
   */
  readonly durable?: boolean;
  /** It stores something new, and is refused while the disk is full. Default false. */
  readonly adds?: boolean;
  /** It is carried out also after its caller was told that it took too long. Default false: it is then forgotten. */
  readonly mustHappen?: boolean;
  /** Consumers, here and in other processes, are to look again when it is committed. Default false. */
  readonly rings?: boolean;
  /** How many rows it touches, roughly. Default 1. */
  readonly weight?: number;
}

/** Carries out writes of one kind together; answers each, in their order. */
export type RunTogether<Item, Answer> = (items: readonly Item[]) => readonly Answer[];

interface Write {
  /** The same function for all writes of one kind. */
  readonly run: RunTogether<unknown, unknown>;
  readonly item: unknown;
  readonly options: WriteOptions;
  readonly dueAt: number;
  /** The caller knows how it ended, or that it took too long. */
  answered: boolean;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: QError) => void;
}

export interface GroupCommitOptions {
  readonly connection: Connection;
  readonly ballast: Ballast;
  readonly clock: Clock;
  /** Longest wait for the lock or for room on the disk. Milliseconds. */
  readonly timeoutMs: number;
  /** Whether durable writes are to wait for the disk at all. */
  readonly durable: boolean;
  /** Called inside each transaction before its writes. */
  readonly onBegin: () => void;
  /** Called after each commit in which a write rings. */
  readonly onRing: () => void;
}

/** What could not be written yet, in order, and what stood in the way. */
interface Remainder {
  readonly left: readonly Write[];
  readonly obstacle: "lock" | "disk";
}

const nothingLeft: Remainder = { left: [], obstacle: "lock" };

/** Rows after which a transaction ends, so that other processes get the lock and the event loop its turn. */
const maxWeight = 1000;
/** Time between two attempts while the disk is full. Milliseconds. */
const fullPauseMs = 50;

/**
 * Collects the writes of one turn of the event loop, and those that come while the lock is awaited, into one transaction. Each caller hears
 * after the COMMIT. When a write fails the others do not: the group is halved until the culprit stands alone.
 *
 * Hence what writes may be called more than once, and must change nothing outside the database.
 */
export class GroupCommit {
  readonly #options: GroupCommitOptions;
  #waiting: Write[] = [];
  /** The group that is being written. */
  #taken: Write[] = [];
  #flushing: Promise<void> | undefined;
  #closed = false;

  constructor(options: GroupCommitOptions) {
    this.#options = options;
  }

  /**
   * @throws BrokerError `Q1006` the disk is full, `Q1010` not open, `Q1011` locked for too long: nothing was stored; `Q1102` it may be stored;
   * others as `run` throws them
   */
  write<T>(run: () => T, options: WriteOptions = {}): Promise<T> {
    return this.writeTogether(() => [run()], undefined, options);
  }

  /**
   * As `write`, for what is cheaper many at a time: the writes of a transaction that are given the same function are carried out by one call
   * of it, where the first of them stands. They must not depend on what stands between them.
   */
  writeTogether<Item, T>(run: RunTogether<Item, T>, item: Item, options: WriteOptions): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#closed) {
        reject(notOpen(this.#options.connection.address));
        return;
      }
      const dueAt = this.#options.clock.monotonic() + this.#options.timeoutMs;
      // `run` is only ever given the items that came with it, and `resolve` what it answered.
      this.#waiting.push({
        run: run as RunTogether<unknown, unknown>,
        item,
        options,
        dueAt,
        answered: false,
        resolve: resolve as (value: unknown) => void,
        reject,
      });
      this.#flushing ??= this.#flush();
    });
  }

  /** Writes what waits and takes nothing more. Resolves when nothing waits any more, which a locked file can hold up. */
  async drain(): Promise<void> {
    this.#closed = true;
    await this.#flushing;
  }

  /** Forgets what waits; its callers hear that the broker is not open. */
  abandon(): void {
    this.#closed = true;
    for (const write of this.#waiting.splice(0)) fail(write, notOpen(this.#options.connection.address));
  }

  async #flush(): Promise<void> {
    const { clock } = this.#options;
    let lockWait: LockWait | undefined;
    try {
      // The end of the turn: handlers that finish together settle together.
      await new Promise<void>((resolve) => setImmediate(resolve));
      while (this.#waiting.length > 0) {
        const { left, obstacle } = this.#commit(this.#takeGroup());
        this.#taken = [];
        if (left.length === 0) {
          lockWait = undefined;
          await new Promise<void>((resolve) => setImmediate(resolve));
          continue;
        }
        this.#waiting.unshift(...left);
        this.#expire(obstacle);
        lockWait ??= new LockWait(clock);
        await (obstacle === "lock" ? lockWait.pause() : sleep(clock, fullPauseMs));
      }
    } catch (error) {
      // Nobody else would ever answer them. What is committed is answered before anything can throw.
      this.#failAll(error);
    } finally {
      // In the same turn as the last look at what waits: what comes later begins anew.
      this.#flushing = undefined;
    }
  }

  #failAll(error: unknown): void {
    for (const write of [...this.#taken.splice(0), ...this.#waiting.splice(0)]) {
      if (!write.answered) fail(write, toBrokerError(error, this.#options.connection.address));
    }
  }

  #takeGroup(): Write[] {
    let weight = 0;
    let count = 0;
    for (const write of this.#waiting) {
      weight += write.options.weight ?? 1;
      if (count > 0 && weight > maxWeight) break;
      count += 1;
    }
    this.#taken = this.#waiting.splice(0, count);
    return this.#refuseWithoutRoom(this.#taken);
  }

  /** What adds something is refused while the disk has no room for it; the others stay. */
  #refuseWithoutRoom(group: Write[]): Write[] {
    if (!group.some(adds) || this.#options.ballast.hasRoom()) return group;
    for (const write of group.filter(adds)) fail(write, diskFull(this.#options.connection.address));
    return group.filter((write) => !adds(write));
  }

  #commit(group: readonly Write[]): Remainder {
    if (group.length === 0) return nothingLeft;
    let results: unknown[];
    try {
      results = this.#transaction(group);
    } catch (error) {
      if (isBusy(error)) return { left: group, obstacle: "lock" };
      const [first, ...others] = group;
      return first !== undefined && others.length === 0 ? this.#failed(first, error) : this.#commitHalves(group);
    }
    group.forEach((write, index) => {
      write.answered = true;
      write.resolve(results[index]);
    });
    if (group.some((write) => write.options.rings === true)) this.#options.onRing();
    return nothingLeft;
  }

  #commitHalves(group: readonly Write[]): Remainder {
    const middle = group.length >> 1;
    const rest = group.slice(middle);
    const { left, obstacle } = this.#commit(group.slice(0, middle));
    return left.length === 0 ? this.#commit(rest) : { left: [...left, ...rest], obstacle };
  }

  /** What becomes of a write that failed alone. */
  #failed(write: Write, error: unknown): Remainder {
    const { connection, ballast } = this.#options;
    if (!isDiskFull(error) || adds(write)) {
      fail(write, toBrokerError(error, connection.address));
      return nothingLeft;
    }
    ballast.drop();
    try {
      // What the log occupies can be used again once it is copied into the database.
      connection.checkpoint();
    } catch {
      // Readers or the disk are in the way: the next attempt comes soon.
    }
    return { left: [write], obstacle: "disk" };
  }

  #transaction(group: readonly Write[]): unknown[] {
    const { connection, durable, onBegin } = this.#options;
    connection.begin(durable && group.some((write) => write.options.durable === true));
    try {
      onBegin();
      const results = runAll(group);
      connection.commit();
      return results;
    } catch (error) {
      connection.rollback();
      throw error;
    }
  }

  #expire(obstacle: Remainder["obstacle"]): void {
    const now = this.#options.clock.monotonic();
    const { address } = this.#options.connection;
    for (const write of this.#waiting) {
      if (!write.answered && now >= write.dueAt) fail(write, obstacle === "lock" ? locked(address) : diskFull(address));
    }
    this.#waiting = this.#waiting.filter((write) => !write.answered || write.options.mustHappen === true);
  }
}

function runAll(group: readonly Write[]): unknown[] {
  const itemsOf = new Map<Write["run"], unknown[]>();
  for (const { run, item } of group) {
    const items = itemsOf.get(run);
    if (items === undefined) itemsOf.set(run, [item]);
    else items.push(item);
  }
  const answersOf = new Map<Write["run"], Iterator<unknown>>();
  for (const [run, items] of itemsOf) answersOf.set(run, run(items).values());
  return group.map(({ run }) => answersOf.get(run)?.next().value as unknown);
}

function adds(write: Write): boolean {
  return write.options.adds === true;
}

function fail(write: Write, error: QError): void {
  write.answered = true;
  write.reject(error);
}
