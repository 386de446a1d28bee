import { writeSync } from "node:fs";

const slowReaderMs = 10;
const lineBreak = 0x0a;

export interface StdoutLinesOptions {
  /** Told when lines are written again: how many were not, and why the last of those was not, as `ENOSPC`. */
  readonly onGap: (lost: number, reason: string) => void;
  /** Writes some of the bytes and answers how many. */
  readonly write?: (bytes: Uint8Array) => number;
}

/**
 * stdout for the lines of a log. What cannot be written, because the disk is full or nobody reads any more, is dropped: kept until it can be, it would fill
 * the memory of a worker that goes on. A reader that is only slow is waited for, as at a pipe that blocks.
 */
export class StdoutLines {
  readonly #onGap: StdoutLinesOptions["onGap"];
  readonly #write: (bytes: Uint8Array) => number;
  #lost = 0;
  #reason = "";
  /** Whether what was written last is the beginning of a line only. */
  #isTorn = false;

  constructor({ onGap, write = (bytes) => writeSync(1, bytes) }: StdoutLinesOptions) {
    this.#onGap = onGap;
    this.#write = write;
  }

  /** Never throws. @param line with its line break */
  write(line: string): void {
    const bytes = Buffer.from(this.#isTorn ? `\n${line}` : line);
    let written = 0;
    try {
      while (written < bytes.length) written += this.#writeOrWait(bytes.subarray(written));
    } catch (error) {
      this.#lost += 1;
      this.#reason = (error as NodeJS.ErrnoException).code ?? "unknown";
    }
    if (written > 0) this.#isTorn = bytes[written - 1] !== lineBreak;
    if (written === bytes.length) this.#tellGap();
  }

  #writeOrWait(bytes: Uint8Array): number {
    try {
      return this.#write(bytes);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, slowReaderMs);
      return 0;
    }
  }

  #tellGap(): void {
    if (this.#lost === 0) return;
    const lost = this.#lost;
    // Before it is told: that writes a line, too.
    this.#lost = 0;
    this.#onGap(lost, this.#reason);
  }
}
