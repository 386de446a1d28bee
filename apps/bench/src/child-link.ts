import type { ChildProcess } from "node:child_process";
import type { FromChild, ToChild } from "./child-side.ts";

/** How one speaks with a child process, whatever it is written in. */
export interface ChildLink {
  readonly process: ChildProcess;
  /** Whether it may still be told something. */
  isOpen(): boolean;
  send(message: ToChild): void;
  /** The next one that comes. @throws AbortError */
  reply(signal: AbortSignal): Promise<FromChild>;
  /** Nothing more is said; it ends by itself. */
  hangUp(): void;
  /** Ends it as it is, with the processes that it has started. */
  kill(): void;
}
