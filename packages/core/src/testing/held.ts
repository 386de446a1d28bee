import type { MemoryQueue } from "./memory-queue.ts";
import type { StoredMessage } from "./stored-message.ts";

/** A message in a process's hands. */
export interface Held {
  readonly queue: MemoryQueue;
  readonly stored: StoredMessage;
  readonly holder: Holder;
  readonly fence: number;
  started: boolean;
  /** Called when the store takes it away. */
  onLost: (() => void) | undefined;
}

/** One process, as the store sees it: what it holds, in the order of taking. */
export interface Holder {
  readonly held: Set<Held>;
}
