import { closeSync, fstatSync, openSync, statSync, writeFileSync } from "node:fs";
import { ConfigError } from "@q/core";

const lookEveryMs = 1000;

export interface LogFileOptions {
  /** Told once when lines begin to be lost, because the disk is full or the folder is gone, and once when they are written again. */
  readonly onTrouble: (text: string) => void;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
}

/**
 * A file that lines are added to at its end, by however many processes. When its name leads to another file or to none, because it was rotated, it is
 * opened anew within a second: that needs no signal, and none is left for it.
 */
export class LogFile {
  readonly #path: string;
  readonly #onTrouble: (text: string) => void;
  readonly #now: () => number;
  /** `undefined` when closed. */
  #descriptor: number | undefined;
  #lookedAt: number;
  #isTroubled = false;

  /** @throws ConfigError `Q2117` when it cannot be opened */
  constructor(path: string, { onTrouble, now = () => performance.now() }: LogFileOptions) {
    this.#path = path;
    this.#onTrouble = onTrouble;
    this.#now = now;
    this.#lookedAt = now();
    try {
      this.#descriptor = openSync(path, "a");
    } catch (cause) {
      throw new ConfigError("Q2117", `--log-file ${path} cannot be opened (${reasonOf(cause)})`, {
        cause,
        hint: "does its folder exist, and may this user write there?",
      });
    }
  }

  /** Adds text, line breaks included. Never throws: a worker goes on working without its log. */
  write(text: string): void {
    if (this.#descriptor === undefined) return;
    let trouble: unknown;
    try {
      this.#descriptor = this.#reopened(this.#descriptor);
    } catch (error) {
      // Until the new file can be had, the old one takes the lines.
      trouble = error;
    }
    try {
      // Unlike writeSync, this goes on until all of it is written.
      writeFileSync(this.#descriptor, text);
    } catch (error) {
      trouble = error;
    }
    this.#tell(trouble);
  }

  /** May be called twice. What is written later is dropped. */
  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  /** The same descriptor, or that of the file which now has the name. */
  #reopened(old: number): number {
    if (!this.#isTroubled && this.#now() - this.#lookedAt < lookEveryMs) return old;
    this.#lookedAt = this.#now();
    const there = statSync(this.#path, { bigint: true, throwIfNoEntry: false });
    const open = fstatSync(old, { bigint: true });
    if (there?.ino === open.ino && there.dev === open.dev) return old;
    const descriptor = openSync(this.#path, "a");
    closeSync(old);
    return descriptor;
  }

  #tell(trouble: unknown): void {
    const isTroubled = trouble !== undefined;
    if (isTroubled === this.#isTroubled) return;
    this.#isTroubled = isTroubled;
    const state = isTroubled ? `cannot be written (${reasonOf(trouble)}): log lines are lost` : "can be written again";
    this.#onTrouble(`--log-file ${this.#path} ${state}`);
  }
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message;
}
