import type { Broker } from "@q/core/broker";

/** The world of one check, as a harness sees it. One object for the whole check, so it can be a key in a `WeakMap`. */
export interface HarnessWorld {
  /** Unique, `[a-z0-9]`: good for a file name, a key prefix or a virtual host. */
  readonly id: string;
}

/**
 * What the author of an adapter supplies. Only `create` and the two times are needed; a check that needs more is skipped, and says why.
 * Several checks run at the same time, each in a world and on queues of its own.
 */
export interface Harness {
  /**
   * Makes a broker, not yet opened. Each one stands for a process of its own; all brokers of one world see the same store.
   * Brokers of different worlds may share one, because every queue name is unique.
   */
  create(world: HarnessWorld): Broker | Promise<Broker>;
  /**
   * Ends the broker as SIGKILL ends a process: nothing is given back, nothing that was under way is finished, no farewell reaches the store.
   * Resolves when it is dead. The kit does not use the broker afterwards, nor closes it.
   */
  crash?(broker: Broker): void | Promise<void>;
  /** Cuts the broker off from its store: a dropped connection, a stopped server. Resolves when it is cut, with the way back. */
  interrupt?(broker: Broker): Promise<() => void | Promise<void>>;
  /**
   * Makes the store take everything from this broker, messages and leases, while it is alive, as happens to a process that was paused
   * for longer than its leases. The broker goes on afterwards. Resolves when others can have what it held.
   */
  expire?(broker: Broker): void | Promise<void>;
  /**
   * As `expire`, for messages, but the broker does not hear of it, now or later: what it still says about them, the store alone refuses.
   * Usually `expire` with the broker's regular rounds stopped. It is only asked to settle, to start, and to close afterwards.
   */
  expireUnnoticed?(broker: Broker): void | Promise<void>;
  /** Puts bytes straight into the store, at the place of the queue's next message, past every check of the broker. */
  inject?(world: HarnessWorld, queue: string, raw: Uint8Array): void | Promise<void>;
  /** Removes what the world left behind. All its brokers are closed or dead by then. */
  cleanUp?(world: HarnessWorld): void | Promise<void>;

  /** Most milliseconds by which a message may come late, delayed or just sent, on the machine that runs the tests: its promise, and some air. */
  readonly latenessMs: number;
  /** Most milliseconds from a crash to the return of what the dead process held. */
  readonly recoveryMs: number;
  /** Most milliseconds that a message waits on top of `recoveryMs` after the second crash while it ran. Default 0. */
  readonly crashDelayMs?: number;
  /** Milliseconds for which the kit takes leases and marks keys: short, but long enough to be renewed on a busy machine. Default 2000. */
  readonly ttlMs?: number;
  /** Milliseconds that the kit waits, beyond the times above, for what must happen. Default 10000. Nothing takes so long unless it is broken. */
  readonly patienceMs?: number;
  /** Milliseconds that the kit waits to see that something does not happen. Default twice `latenessMs`, at least 100. */
  readonly quietMs?: number;
  /**
   * Checks that this broker is known not to pass, by name, each with the reason. They are skipped and listed: promises of q that its users
   * do not get. A name that is no check's is an error.
   */
  readonly exceptions?: Readonly<Record<string, string>>;
}
