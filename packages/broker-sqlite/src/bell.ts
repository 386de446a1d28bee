import { closeSync, constants, fstatSync, openSync, watch, writeSync, type FSWatcher } from "node:fs";
import type { Clock, Logger, Timer } from "@q/core/broker";
import type { Connection } from "./connection.ts";

export interface BellOptions {
  /** The file that is written to. Made when somebody first rings or listens. */
  readonly path: string;
  readonly connection: Connection;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How often to look whether the database changed though nobody rang. Milliseconds. */
  readonly safetyPollMs: number;
}

/** How often to look when the system cannot watch files. Milliseconds. */
const pollWithoutWatchMs = 25;
/** How long who rings may take it for granted that the file still has its name: not every commit asks the system. Milliseconds. */
const namedForMs = 100;

/**
 * Wakes whoever waits for messages, here and in other processes, by writing one byte to a file that they watch. That the message was
 * missed is no harm: each listener also looks every `safetyPollMs` whether anybody has written to the database.
 */
export class Bell {
  readonly #options: BellOptions;
  readonly #listeners = new Set<() => void>();
  #fd: number | undefined;
  #namedAt = -Infinity;
  #watcher: FSWatcher | undefined;
  #timer: Timer | undefined;
  #seenVersion = -1;

  constructor(options: BellOptions) {
    this.#options = options;
  }

  ring(): void {
    try {
      writeSync(this.#recentlyNamed() ?? this.#open(), ".", 0);
    } catch (error) {
      this.#options.logger.debug({ err: error }, "could not ring for other processes; they look by themselves soon");
    }
    this.#wake();
  }

  /** Calls `listener` when there may be something new, often for nothing. Keeps the process alive. Answers how to end it. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) this.#start();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#stop();
    };
  }

  close(): void {
    this.#listeners.clear();
    this.#stop();
    this.#closeFile();
  }

  #recentlyNamed(): number | undefined {
    return this.#options.clock.monotonic() - this.#namedAt < namedForMs ? this.#fd : undefined;
  }

  #open(): number {
    this.#namedAt = this.#options.clock.monotonic();
    if (this.#isDeleted()) this.#closeFile();
    this.#fd ??= openSync(this.#options.path, constants.O_RDWR | constants.O_CREAT, 0o600);
    return this.#fd;
  }

  /** Somebody tidied up: the file that we have open has no name any more. */
  #isDeleted(): boolean {
    return this.#fd !== undefined && fstatSync(this.#fd).nlink === 0;
  }

  #closeFile(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #start(): void {
    this.#watch();
    this.#schedule();
  }

  #watch(): void {
    try {
      this.#open();
      this.#watcher = watch(this.#options.path, () => {
        if (this.#isDeleted()) this.#watchAgain();
        this.#wake();
      });
      this.#watcher.on("error", (error) => this.#watchFailed(error));
    } catch (error) {
      this.#watchFailed(error);
    }
  }

  #watchAgain(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
    this.#watch();
  }

  #watchFailed(error: unknown): void {
    this.#watcher?.close();
    this.#watcher = undefined;
    this.#options.logger.warn(
      { err: error, path: this.#options.path, everyMs: pollWithoutWatchMs },
      "cannot watch for new messages; polling instead",
    );
  }

  #schedule(): void {
    const delayMs = this.#watcher === undefined ? pollWithoutWatchMs : this.#options.safetyPollMs;
    this.#timer = this.#options.clock.setTimer(
      delayMs,
      () => {
        const isChanged = this.#databaseChanged();
        // Before listeners hear of it: the last one may stop listening then, and with it this.
        this.#schedule();
        if (isChanged) this.#wake();
      },
      { keepAlive: true },
    );
  }

  /** Whether another connection has written since the last look. */
  #databaseChanged(): boolean {
    try {
      const version = this.#options.connection.get<{ data_version: number }>("PRAGMA data_version")?.data_version ?? -1;
      const changed = version !== this.#seenVersion;
      this.#seenVersion = version;
      return changed;
    } catch {
      // Locked for a moment: looking for nothing is the cheaper mistake.
      return true;
    }
  }

  #stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#watcher?.close();
    this.#watcher = undefined;
  }

  #wake(): void {
    for (const listener of this.#listeners) listener();
  }
}
