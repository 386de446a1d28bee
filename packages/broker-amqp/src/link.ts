import { connect, type Channel, type ChannelModel, type ConfirmChannel } from "amqplib";
import type { Socket } from "node:net";
import { atMost, tlsConnectOptions, type Clock, type HostPort, type Logger } from "@q/core/broker";
import { ConnectionLost, Unanswered } from "./amqp-error.ts";
import { gatherWrites } from "./gathered-writes.ts";
import type { Settings } from "./options.ts";
import { surviveUnreadableHeaders } from "./unreadable-headers.ts";

export interface LinkOptions {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What the server's list of connections shows: `q publish`. */
  readonly name: string;
}

const longestFarewellMs = 500;
/** Longest that a host is tried when there are others. Milliseconds. */
const longestAttemptMs = 3000;

/**
 * One connection to RabbitMQ, from its handshake to its end. It is never repaired: whatever goes wrong with one of its channels ends all of it, and
 * the next link begins afresh. A scratch channel is the exception: it may be closed by the server, which is how RabbitMQ says no.
 */
export class Link {
  readonly #model: ChannelModel;
  readonly #options: LinkOptions;
  readonly #ended = new AbortController();
  readonly #onUnblocked = new Set<() => void>();
  readonly #retired = new WeakSet<Channel>();
  /** Scratch channels that nobody uses just now. */
  readonly #spare: Channel[] = [];
  #blockedBecause: string | undefined;

  private constructor(model: ChannelModel, options: LinkOptions) {
    this.#model = model;
    this.#options = options;
    gatherWrites(socketOf(model));
    surviveUnreadableHeaders(model);
    model.on("error", (error) => this.fail(error));
    model.on("close", (error) => this.fail(error ?? new Error("the server closed it")));
    model.on("blocked", (reason) => {
      this.#blockedBecause = reason;
      options.logger.warn({ reason }, "RabbitMQ takes in nothing more until it has room again");
    });
    model.on("unblocked", () => {
      this.#blockedBecause = undefined;
      for (const listener of this.#onUnblocked) listener();
    });
  }

  /** Rejects with whatever keeps it from the server. */
  static async open(host: HostPort, options: LinkOptions): Promise<Link> {
    const { settings, clock } = options;
    const { timeoutMs } = settings;
    const limitMs = settings.hosts.length === 1 ? timeoutMs : Math.min(longestAttemptMs, timeoutMs);
    const connecting = connect(
      {
        protocol: settings.tls === undefined ? "amqp" : "amqps",
        hostname: host.host,
        port: host.port,
        username: settings.username,
        password: settings.password,
        // amqplib decodes it.
        vhost: encodeURIComponent(settings.vhost),
        heartbeat: Math.ceil(settings.heartbeatMs / 1000),
      },
      {
        ...(settings.tls === undefined ? {} : tlsConnectOptions(settings.tls)),
        noDelay: true,
        keepAlive: true,
        keepAliveDelay: 10_000,
        timeout: limitMs,
        clientProperties: { connection_name: options.name },
      },
    );
    if (await atMost(clock, limitMs, connecting)) return new Link(await connecting, options);
    // Should it come after all, nobody wants it any more.
    connecting.then(discard).catch(() => undefined);
    throw new Error("ETIMEDOUT");
  }

  /** Aborts when the connection has ended, for whatever reason. */
  get lost(): AbortSignal {
    return this.#ended.signal;
  }

  /** Why the server takes in no messages, `undefined` while it does. */
  get blockedBecause(): string | undefined {
    return this.#blockedBecause;
  }

  /** Calls the listener whenever the server takes in messages again. */
  whenUnblocked(listener: () => void): void {
    this.#onUnblocked.add(listener);
  }

  /** A channel that lives as long as the link, and the link no longer than the channel. */
  async channel(): Promise<Channel> {
    return this.#guarded(await this.call(this.#model.createChannel()));
  }

  async confirmChannel(): Promise<ConfirmChannel> {
    return this.#guarded(await this.call(this.#model.createConfirmChannel()));
  }

  /** A channel whose end is its owner's business alone: he hears of it, and the link goes on. */
  async separateChannel(onEnd: (error: unknown) => void): Promise<Channel> {
    const channel = await this.call(this.#model.createChannel());
    channel.on("error", onEnd);
    channel.on("handler-error", onEnd);
    channel.on("close", () => onEnd(new Error("the channel ended")));
    return channel;
  }

  /** Asks something that the server may answer by closing the channel. What `question` rejects with is raised. */
  async ask<T>(question: (channel: Channel) => Promise<T>): Promise<T> {
    const channel = this.#spare.pop() ?? (await this.#scratchChannel());
    const answer = await this.call(question(channel));
    // After a refusal it is closed, or not to be trusted.
    this.#spare.push(channel);
    return answer;
  }

  /** As `ask`, with a channel that ends afterwards: what was taken on it and not acked is back in its place then. */
  async scratch<T>(work: (channel: Channel) => Promise<T>): Promise<T> {
    const channel = await this.#scratchChannel();
    try {
      return await work(channel);
    } finally {
      // Closed already, or closed with the link.
      await this.call(channel.close()).catch(() => undefined);
    }
  }

  /**
   * Waits for an answer. A server that gives none in time is taken for gone, unless it is known to be blocked.
   * @throws ConnectionLost when there was none; whatever the server said
   */
  async call<T>(answer: Promise<T>): Promise<T> {
    const { clock, settings } = this.#options;
    if (await atMost(clock, settings.timeoutMs, answer)) return await answer;
    answer.catch(() => undefined);
    const error = new ConnectionLost(
      `RabbitMQ at ${settings.address} gave no answer within ${settings.timeoutMs} ms`,
      this.#blockedBecause === undefined ? { sent: true } : { sent: true, hint: this.#blockedBecause },
    );
    if (this.#blockedBecause === undefined) this.fail(error);
    throw error;
  }

  /**
   * As `call`, for a separate channel: one that is stuck does not end the link, as long as the server answers on another.
   * @throws Unanswered when it does; ConnectionLost when it does not; whatever the server said
   */
  async callSeparately<T>(answer: Promise<T>): Promise<T> {
    const { clock, settings } = this.#options;
    if (await atMost(clock, settings.timeoutMs, answer)) return await answer;
    answer.catch(() => undefined);
    await this.barrier();
    throw new Unanswered(
      `RabbitMQ at ${settings.address} gave no answer about a queue within ${settings.timeoutMs} ms`,
      {
        sent: true,
        hint: "does it have a majority of its nodes? rabbitmq-queues quorum_status says more",
      },
    );
  }

  /** Resolves when the server shows that it is there. The cheapest question that it answers. */
  async barrier(): Promise<void> {
    await this.ask((channel) => channel.prefetch(1, false));
  }

  /** Ends a channel that is not needed any more, and the link goes on. */
  async retire(channel: Channel): Promise<void> {
    if (this.#ended.signal.aborted) return;
    this.#retired.add(channel);
    await this.call(channel.close());
  }

  /** Ends it, because of an error. */
  fail(error: unknown): void {
    if (this.#ended.signal.aborted) return;
    this.#ended.abort(error);
    destroy(this.#model);
  }

  /** Ends it in good order: what was written is carried out. Never throws. */
  async close(): Promise<void> {
    if (this.#ended.signal.aborted) return;
    const { clock } = this.#options;
    const closing = this.#model.close().catch(() => undefined);
    this.#ended.abort(new Error("it was closed"));
    await atMost(clock, longestFarewellMs, closing);
    destroy(this.#model);
  }

  async #scratchChannel(): Promise<Channel> {
    const channel = await this.call(this.#model.createChannel());
    // The call that is under way hears of it.
    channel.on("error", () => undefined);
    return channel;
  }

  /** A channel's error would otherwise be the connection's, and throw. */
  #guarded<C extends Channel>(channel: C): C {
    channel.on("error", (error) => this.fail(error));
    channel.on("close", () => {
      if (this.#retired.has(channel)) return;
      // When it ends with its connection, amqplib says why of that, and after this.
      queueMicrotask(() => this.fail(new Error("the channel ended")));
    });
    channel.on("handler-error", (error) => this.fail(error));
    return channel;
  }
}

/** Drops a connection that no link has. */
function discard(model: ChannelModel): void {
  // Its end is an error, and an error that nobody listens to would end the process.
  model.on("error", () => undefined);
  destroy(model);
}

/** Drops the line without a word, also when nobody reads at its other end. */
function destroy(model: ChannelModel): void {
  // `close()` would wait for the server. Only an error makes amqplib end its heartbeats, and what waits for an answer.
  socketOf(model).destroy(new Error("the connection was given up"));
}

function socketOf(model: ChannelModel): Socket {
  // amqplib has it there; its types do not say so.
  return (model.connection as unknown as { readonly stream: Socket }).stream;
}
