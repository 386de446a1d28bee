import type { Timer } from "@q/core/broker";
import type { Taken } from "./holder.ts";
import type { QueueKeys } from "./keys.ts";
import type { Store } from "./store.ts";

/** How soon at the latest a delayed message is seen that another process has sent. Milliseconds. */
const lookEveryMs = 1000;

type LastClaim = Pick<Taken, "paused" | "nextDueMs" | "nextDueAt">;

/**
 * Tells, while a consumer finds nothing more in a queue, when its next delayed message is due. Looks whether that has become another one, and whether a
 * paused queue goes on. One command a second: a delayed message wakes nobody when it is stored.
 */
export class DueWatch {
  readonly #store: Store;
  readonly #keys: QueueKeys;
  readonly #onChange: () => void;
  readonly #unlisten: () => void;
  #timer: Timer | undefined;
  #isPaused = false;
  /** Server time, as the last claim saw it. */
  #knownDueAt: number | undefined;
  /** The same by our clock; `Infinity` when nothing will be due. Monotonic milliseconds. */
  #dueAt = Infinity;
  #isStopped = false;

  constructor(store: Store, options: { readonly keys: QueueKeys; readonly onChange: () => void }) {
    this.#store = store;
    this.#keys = options.keys;
    this.#onChange = options.onChange;
    this.#unlisten = store.delays.listen(options.keys.queue, (delayMs) => {
      // A claim says when exactly it is due. What is due later is found by looking.
      if (delayMs <= lookEveryMs) this.#onChange();
    });
  }

  /** Begins to look, after a claim that brought less than it could; it said when the next message is due. */
  watch({ paused, nextDueMs = Infinity, nextDueAt }: LastClaim): void {
    if (this.#isStopped) return;
    this.#isPaused = paused;
    this.#knownDueAt = nextDueAt;
    // What is due in a paused queue waits until it goes on.
    this.#dueAt = paused ? Infinity : this.#store.clock.monotonic() + nextDueMs;
    this.#set();
  }

  /** Ends looking until the next `watch`. */
  rest(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  stop(): void {
    this.#isStopped = true;
    this.#unlisten();
    this.rest();
  }

  #set(): void {
    const { clock } = this.#store;
    this.#timer?.cancel();
    this.#timer = clock.setTimer(Math.min(lookEveryMs, this.#dueAt - clock.monotonic()), () => void this.#look());
  }

  /** Never rejects. */
  async #look(): Promise<void> {
    const timer = this.#timer;
    const hasChanged = await this.#hasChanged().catch(() => true);
    // A claim that began meanwhile knows more.
    if (this.#isStopped || this.#timer !== timer) return;
    if (hasChanged) this.#onChange();
    else this.#set();
  }

  async #hasChanged(): Promise<boolean> {
    const { connection, clock } = this.#store;
    if (clock.monotonic() >= this.#dueAt) return true;
    if (this.#isPaused) return (await connection.call("hget", this.#keys.meta, "paused")) === null;
    const [, dueAt] = (await connection.call("zrange", this.#keys.delayed, 0, 0, "WITHSCORES")) as unknown[]; // member and score
    return (dueAt === undefined ? undefined : Number(dueAt)) !== this.#knownDueAt;
  }
}
