import { Connection } from "./connection.ts";
import type { LinkOptions } from "./link.ts";

/** A connection that is opened for whoever needs it first. */
export class LazyConnection {
  readonly #options: LinkOptions;
  #opening: Promise<Connection> | undefined;
  #connection: Connection | undefined;
  #isClosed = false;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  /** @throws BrokerError `Q1001`, `Q1002`, `Q1021`, `Q1025`; the next call tries again */
  get(): Promise<Connection> {
    const opening = (this.#opening ??= Connection.open(this.#options));
    opening.then(
      (connection) => {
        this.#connection = connection;
        if (this.#isClosed) void connection.close();
      },
      () => {
        if (this.#opening === opening) this.#opening = undefined;
      },
    );
    return opening;
  }

  /** Never throws, and waits for nothing that is still opening: that is closed when it is there. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#connection?.close();
  }

  /** As `Connection.abandon`. For tests. */
  abandon(): void {
    this.#isClosed = true;
    void this.#opening?.then((connection) => connection.abandon()).catch(() => undefined);
  }
}
