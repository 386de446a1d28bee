import { closeSync, fsyncSync, openSync, renameSync, rmSync, statSync, statfsSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { randomBytes } from "node:crypto";
import type { Clock, Logger } from "@q/core/broker";

export interface BallastOptions {
  readonly path: string;
  /** Default 4 MiB: a write-ahead log between two checkpoints. */
  readonly bytes?: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Shortest time between two attempts to get the ballast back. Milliseconds. */
const retryAfterMs = 1000;
/** How long a look at the file holds, so that not every commit asks the system. What is sent in this time fits into the ballast. Milliseconds. */
const seenForMs = 5;

/** Codes of a disk or a quota that is used up. */
const noRoom: readonly string[] = ["ENOSPC", "EDQUOT"];

/**
 * A file beside the database that only occupies room. When the disk is full it is deleted, and what it occupied lets workers go
 * on claiming and settling. While it is missing nothing new is accepted, or that room would be eaten up too.
 *
 * Its existence is the state, so all processes on the file agree without talking. It is only a help: what goes wrong with it is logged, never thrown.
 */
export class Ballast {
  readonly #options: Required<BallastOptions>;
  #triedAt = -Infinity;
  #seenAt = -Infinity;
  #toldAt = -Infinity;
  /** It could not be made, and not for want of room. */
  #isUnmakeable = false;

  constructor(options: BallastOptions) {
    this.#options = { bytes: 4 * 1024 * 1024, ...options };
  }

  /** Whether there is room for new messages, as far as one can see. Makes the file again where it is missing and the disk has room for two of it. */
  hasRoom(): boolean {
    const now = this.#options.clock.monotonic();
    if (now - this.#seenAt < seenForMs) return true;
    if (this.#exists()) {
      this.#seenAt = now;
      return true;
    }
    if (now - this.#triedAt >= retryAfterMs) {
      this.#triedAt = now;
      this.#isUnmakeable = false;
      if (this.#create()) return true;
    }
    return this.#isUnmakeable;
  }

  /** Gives the room away. Does nothing when it is already given. */
  drop(): void {
    this.#seenAt = -Infinity;
    if (!this.#exists()) return;
    try {
      rmSync(this.#options.path, { force: true });
    } catch (error) {
      this.#warn(error, "could not give room away on a full disk");
      return;
    }
    this.#triedAt = this.#options.clock.monotonic();
    this.#isUnmakeable = false;
    this.#options.logger.error(
      { path: this.#options.path },
      "the disk is full: sending is refused, what is stored is worked off with the room held in reserve",
    );
  }

  #exists(): boolean {
    try {
      return statSync(this.#options.path, { throwIfNoEntry: false }) !== undefined;
    } catch (error) {
      this.#warn(error, "could not look whether there is room on the disk");
      // It may be there. Whether a message can be stored is found out by storing it.
      return true;
    }
  }

  #create(): boolean {
    const { path, bytes } = this.#options;
    // A fixed name: what a killed process left half written is written again, not left lying about.
    const draft = `${path}-new`;
    try {
      const disk = statfsSync(dirname(path));
      if (disk.bavail * disk.bsize < bytes * 2) return false;
      const fd = openSync(draft, "w", 0o600);
      try {
        // Random, because some file systems store zeros in no room at all.
        writeSync(fd, randomBytes(bytes));
        fsyncSync(fd);
      } finally {
        closeSync(fd);
      }
      renameSync(draft, path);
      return true;
    } catch (error) {
      if (this.#exists()) return true;
      removeDraft(draft);
      this.#isUnmakeable = !noRoom.includes((error as NodeJS.ErrnoException).code ?? "");
      const until = this.#isUnmakeable ? "should it get full, nothing can be settled" : "nothing can be sent";
      this.#warn(error, `could not set room aside on the disk; ${until} until that works`);
      return false;
    }
  }

  /** Not each time: while the disk is full it is tried for each write. */
  #warn(error: unknown, text: string): void {
    const { clock, logger, path } = this.#options;
    const now = clock.monotonic();
    if (now - this.#toldAt < retryAfterMs) return;
    this.#toldAt = now;
    logger.warn({ err: error, path }, text);
  }
}

function removeDraft(draft: string): void {
  try {
    rmSync(draft, { force: true });
  } catch {
    // The next attempt writes over it.
  }
}
