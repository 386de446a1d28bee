import { atMost, sleep, type HostPort } from "@q/core/broker";
import { ConnectionLost, unreachable } from "./amqp-error.ts";
import { isHeldTooLong, raiseHoldLimit } from "./hold-limit.ts";
import { Link, type LinkOptions } from "./link.ts";

const shortestPauseMs = 100;
/** A server that is back is noticed within this. */
const longestPauseMs = 3000;
/** What has lasted so long ended for a reason of its own, and not for one that was there from the start. Milliseconds. */
const lastingMs = 10_000;

/** A connection that comes back by itself, to the next host when one is gone, until it is closed. */
export class Connection {
  readonly #options: LinkOptions;
  readonly #closed = new AbortController();
  readonly #listeners = new Set<(link: Link) => void>();
  /** In another order in each process, so that they spread over the nodes. */
  readonly #hosts: readonly HostPort[];
  #nextHost = 0;
  #link: Link | undefined;
  /** Monotonic milliseconds since which it is there. */
  #linkSince = 0;
  /** How often it was opened, or tried to, since one has lasted. */
  #attempts = 0;
  #connecting: Promise<void> = Promise.resolve();
  #obstacle: Error | undefined;

  private constructor(options: LinkOptions) {
    this.#options = options;
    this.#hosts = options.settings.hosts.toSorted(() => Math.random() - 0.5);
  }

  /**
   * @param signal aborts when nobody wants it any more
   * @throws BrokerError `Q1001`, `Q1002`, `Q1021`, `Q1025` when no host lets it in
   */
  static async open(options: LinkOptions, signal?: AbortSignal): Promise<Connection> {
    const connection = new Connection(options);
    const opening = connection.#tryEachHost().then(() => connection);
    if (signal === undefined) return await opening;
    return await new Promise((resolve, reject) => {
      const onAbort = (): void => {
        // What is there after all is closed then.
        void connection.close();
        reject(connection.#notConnected());
      };
      if (signal.aborted) onAbort();
      else signal.addEventListener("abort", onAbort, { once: true });
      opening.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
    });
  }

  get isReady(): boolean {
    return this.#link !== undefined;
  }

  get isClosed(): boolean {
    return this.#closed.signal.aborted;
  }

  /** Why there is no link, when there is none. */
  get obstacle(): Error | undefined {
    return this.#link === undefined ? this.#notConnected() : undefined;
  }

  /** Hands over every link from now on, and the present one at once. */
  onLink(listener: (link: Link) => void): () => void {
    this.#listeners.add(listener);
    if (this.#link !== undefined) listener(this.#link);
    return () => this.#listeners.delete(listener);
  }

  /**
   * The link, when there is one within the time for an answer.
   * @throws ConnectionLost otherwise: nothing was sent
   */
  async ready(): Promise<Link> {
    const { clock, settings } = this.#options;
    const until = clock.monotonic() + settings.timeoutMs;
    for (;;) {
      if (this.#link !== undefined) return this.#link;
      const leftMs = until - clock.monotonic();
      if (this.isClosed || leftMs <= 0) throw this.#notConnected();
      await atMost(clock, leftMs, this.#connecting);
    }
  }

  /** Leaves its link, as it is, to another connection, and makes a new one for itself. `undefined` while it has none. */
  detach(): Connection | undefined {
    const link = this.#link;
    if (link === undefined || this.isClosed) return undefined;
    this.#link = undefined;
    const other = new Connection(this.#options);
    other.#use(link);
    this.#connecting = this.#reconnect();
    return other;
  }

  /** Ends in good order. May be called twice, never throws. */
  async close(): Promise<void> {
    this.#closed.abort();
    this.#listeners.clear();
    await this.#link?.close();
  }

  /** Ends without a word, as in a process that is killed. For tests. */
  abandon(): void {
    this.#closed.abort();
    this.#listeners.clear();
    this.#link?.fail(new Error("abandoned"));
  }

  #notConnected(): ConnectionLost {
    const { address } = this.#options.settings;
    const cause = this.#obstacle;
    return new ConnectionLost(`there is no connection to RabbitMQ at ${address}`, {
      sent: false,
      ...(cause === undefined ? {} : { cause }),
      hint: "is it running, and reachable from here?",
    });
  }

  /** @throws BrokerError the last one's obstacle */
  async #tryEachHost(): Promise<void> {
    const { settings } = this.#options;
    let obstacle: unknown;
    for (const _ of this.#hosts) {
      // There is at least one, and the number is taken by their count.
      const host = this.#hosts[this.#nextHost % this.#hosts.length] as HostPort;
      try {
        return this.#use(await Link.open(host, this.#options));
      } catch (error) {
        obstacle = error;
        this.#nextHost += 1;
        if (this.isClosed) break;
      }
    }
    throw unreachable(obstacle, settings.address);
  }

  #use(link: Link): void {
    if (this.isClosed) return void link.close();
    this.#obstacle = undefined;
    this.#link = link;
    this.#linkSince = this.#options.clock.monotonic();
    link.lost.addEventListener("abort", () => this.#onLost(link), { once: true });
    for (const listener of this.#listeners) listener(link);
  }

  #onLost(link: Link): void {
    if (this.#link !== link) return;
    this.#link = undefined;
    if (this.isClosed) return;
    const { logger, name, clock } = this.#options;
    // Whatever ends each new link would otherwise do so many times a second.
    if (clock.monotonic() - this.#linkSince >= lastingMs) this.#attempts = 0;
    const reason: unknown = link.lost.reason;
    logger.warn({ err: reason, connection: name }, "the connection to RabbitMQ ended; connecting again");
    if (isHeldTooLong(reason))
      logger.error(
        { connection: name },
        `a message was held for longer than RabbitMQ's consumer_timeout, and all that this process held goes to others: ${raiseHoldLimit}`,
      );
    this.#connecting = this.#reconnect();
  }

  /** Never rejects. Resolves when it is connected, or closed. */
  async #reconnect(): Promise<void> {
    const { clock, logger, name } = this.#options;
    while (!this.isClosed) {
      // Full jitter: a thousand processes do not come back at once.
      const pauseMs = Math.min(longestPauseMs, shortestPauseMs * 2 ** this.#attempts) * Math.random();
      this.#attempts += 1;
      if (!(await sleep(clock, pauseMs, this.#closed.signal))) return;
      try {
        await this.#tryEachHost();
        logger.info({ connection: name }, "connected to RabbitMQ again");
        return;
      } catch (error) {
        this.#obstacle = error as Error;
        logger.debug({ err: error, attempts: this.#attempts }, "RabbitMQ cannot be reached");
      }
    }
  }
}
