import type { Logger } from "@q/core/broker";

/** Says for all connections of a broker together that Redis is away, and that it is back: a worker has two and one for each queue. */
export class OutageLog {
  readonly #logger: Logger;
  readonly #cutOff = new Set<object>();
  readonly #there = new Set<object>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** A connection that had been there cannot be made again. Told once, however often it tries and however many there are. */
  isAway(connection: object, reason: string): void {
    if (this.#cutOff.size === 0)
      this.#logger.warn({ reason }, "no connection to Redis; trying again until there is one");
    this.#cutOff.add(connection);
    this.#there.delete(connection);
  }

  /** A connection can be used. When it was the last one that could not, this is told. */
  isBack(connection: object): void {
    this.#there.add(connection);
    this.#noMore(connection);
  }

  /** A connection has been given up, and will not come back. */
  forget(connection: object): void {
    this.#there.delete(connection);
    this.#noMore(connection);
  }

  #noMore(connection: object): void {
    if (this.#cutOff.delete(connection) && this.#cutOff.size === 0 && this.#there.size > 0)
      this.#logger.info({}, "connected to Redis again");
  }
}
