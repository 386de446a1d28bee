import { Cluster, Command, ReplyError } from "ioredis";
import { BrokerError, sleep, type Clock, type Logger } from "@q/core/broker";
import { createClient, type Client } from "./connect.ts";
import type { FailoverWatch } from "./failover-watch.ts";
import { findObstacle } from "./find-obstacle.ts";
import type { Settings } from "./options.ts";
import { OutageLog } from "./outage-log.ts";
import { ConnectionLost, passingReason, reasonOf, redisError, unreachable } from "./redis-error.ts";
import type { Script } from "./scripts/script.ts";

export interface ConnectionOptions {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Longest time in which the server may say nothing while a command waits. Default: `settings.timeoutMs`. */
  readonly silenceMs?: number;
  /** Tells when to leave for another master. Default: nobody does. */
  readonly failovers?: FailoverWatch;
  /** Says that Redis is away, and back, for all connections that have the same. Default: one of its own. */
  readonly outages?: OutageLog;
}

export interface RunOptions {
  /** Wait for so many replicas to have the write. Default 0. */
  readonly replicas?: number;
  /** The answer's texts as they are stored: what is no UTF-8 stays what it is. Not together with `replicas`. */
  readonly asBytes?: boolean;
}

type Argument = string | number | Buffer;

/** Before a step is taken again. */
const pauseMs = 20;

/** One client: runs scripts and commands, and comes back by itself when it is cut off. */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #client: Client;
  readonly #waiting = new Set<() => void>();
  readonly #listeners = new Set<() => void>();
  readonly #unwatch: (() => void) | undefined;
  #closed = false;
  /** Why the last attempt to connect failed, for whoever waits. */
  #lastError: unknown;
  #wasReady = false;
  readonly #outages: OutageLog;

  private constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#outages = options.outages ?? new OutageLog(options.logger);
    this.#client = createClient(options.settings, { silenceMs: options.silenceMs ?? options.settings.timeoutMs });
    this.#client.on("ready", () => this.#onReady());
    this.#client.on("error", (error: unknown) => this.#onError(error));
    this.#client.on("close", () => this.#release());
    this.#unwatch = options.failovers?.onSwitch(() => this.#switch());
  }

  /** Begins to connect and waits for it. @throws BrokerError `Q1001`, `Q1002`, `Q1021`, `Q1023` */
  static async open(options: ConnectionOptions): Promise<Connection> {
    const connection = new Connection(options);
    const { settings, clock } = options;
    try {
      connection.#client.connect().catch((error: unknown) => {
        connection.#lastError ??= error;
      });
      await connection.ready(clock.monotonic() + settings.timeoutMs, { failsEarly: true });
      return connection;
    } catch (error) {
      connection.close();
      const obstacle = await findObstacle(settings);
      throw obstacle === undefined ? error : unreachable(obstacle, settings.address);
    }
  }

  get isReady(): boolean {
    return this.#client.status === "ready";
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  get client(): Client {
    return this.#client;
  }

  /** Calls back whenever the connection is there again, and not for the first time. */
  onReconnect(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * Resolves when commands can be sent.
   * @param until monotonic milliseconds
   * @throws ConnectionLost `Q1001` with `sent: false`; BrokerError `Q1002`
   */
  async ready(until: number, { failsEarly = false }: { readonly failsEarly?: boolean } = {}): Promise<void> {
    const { clock } = this.#options;
    while (!this.isReady) {
      const leftMs = until - clock.monotonic();
      const refusal = failsEarly && this.#lastError !== undefined ? this.#lastError : undefined;
      if (this.#closed || leftMs <= 0 || refusal !== undefined) throw this.#unreachable();
      const woken = new AbortController();
      const wake = (): void => woken.abort();
      this.#waiting.add(wake);
      await sleep(clock, leftMs, woken.signal);
      this.#waiting.delete(wake);
    }
  }

  /**
   * Takes a step, and takes it again when the connection ended in it, until there is an answer or the time is over.
   * @param step may be carried out twice
   * @param onLost told each time that it has no answer
   * @param since when the time began, monotonic milliseconds. Default: now
   * @throws ConnectionLost `Q1001` there was no answer in time; others as the step throws them
   */
  async insist<T>(step: () => Promise<T>, onLost?: (lost: ConnectionLost) => void, since?: number): Promise<T> {
    const { clock, settings } = this.#options;
    const until = (since ?? clock.monotonic()) + settings.timeoutMs;
    for (;;) {
      try {
        if (!this.isReady) await this.ready(until);
        return await step();
      } catch (error) {
        if (!(error instanceof ConnectionLost)) throw error;
        onLost?.(error);
        if (clock.monotonic() >= until || this.#closed) throw error;
        await sleep(clock, pauseMs);
      }
    }
  }

  /**
   * Runs a script once.
   * @throws ConnectionLost no answer; BrokerError the server said no, and its code says why
   */
  async run(
    script: Script,
    keys: readonly string[],
    args: readonly Argument[],
    options: RunOptions = {},
  ): Promise<unknown> {
    try {
      return await this.#send("evalsha", callOf(script.sha, keys, args), options);
    } catch (error) {
      // After a restart, a failover or SCRIPT FLUSH. Nothing was done.
      if (!(error instanceof Error) || !error.message.startsWith("NOSCRIPT")) throw this.#wrap(error);
    }
    try {
      return await this.#send("eval", callOf(script.lua, keys, args), options);
    } catch (error) {
      throw this.#wrap(error);
    }
  }

  /** One command. @throws as `run` */
  async call(command: string, ...args: Argument[]): Promise<unknown> {
    try {
      return await this.#send(command, args, {});
    } catch (error) {
      throw this.#wrap(error);
    }
  }

  /** Calls back at once, and writes what that sends with one call of the system; in a cluster, whose servers have a connection each, as ever. */
  inOneWrite<T>(send: () => T): T {
    const stream = this.#client instanceof Cluster ? undefined : this.#client.stream;
    stream?.cork();
    try {
      return send();
    } finally {
      stream?.uncork();
    }
  }

  /** One command to every server that takes writes: to the one there is, or to each master of a cluster. @throws as `run` */
  async callEach(
    command: string,
    ...args: Argument[]
  ): Promise<readonly (readonly [server: string, answer: unknown])[]> {
    const client = this.#client;
    if (!(client instanceof Cluster)) return [[this.#options.settings.address, await this.call(command, ...args)]];
    const masters = client.nodes("master");
    try {
      const answers = await this.#withTimeout(Promise.all(masters.map((node) => node.call(command, ...args))));
      return masters.map(({ options: { host, port } }, index) => [`${host}:${port}`, answers[index]]);
    } catch (error) {
      throw this.#wrap(error);
    }
  }

  /** One command whose answer is bytes. @throws as `run` */
  async callBuffer(command: string, ...args: Argument[]): Promise<unknown> {
    try {
      return await this.#withTimeout(this.#client.callBuffer(command, ...args));
    } catch (error) {
      throw this.#wrap(error);
    }
  }

  /** Ends it at once. What is under way fails. May be called twice. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#outages.forget(this);
    this.#unwatch?.();
    this.#client.disconnect();
    this.#release();
  }

  /** Not asynchronous itself: each send waits for every step of its answer's way. @throws at once when there is no connection */
  #send(name: string, args: Argument[], { replicas = 0, asBytes = false }: RunOptions): Promise<unknown> {
    if (!this.isReady) throw this.#unreachable();
    if (replicas > 0) return this.#sendAndWait(name, args, replicas);
    const command = new Command(name, [], { replyEncoding: asBytes ? null : "utf8" });
    // Its constructor would look into each argument for lists, which is slow for a script with many messages.
    command.args = args;
    command.stringifyArguments();
    this.#client.sendCommand(command);
    return this.#withTimeout(command.promise);
  }

  /** One after the other on one connection, which is what WAIT counts. @throws ConnectionLost fewer replicas have it, as far as is known */
  async #sendAndWait(command: string, args: readonly Argument[], replicas: number): Promise<unknown> {
    const { timeoutMs } = this.#options.settings;
    const pipeline = this.#client.pipeline([
      [command, ...args],
      ["wait", replicas, Math.floor(timeoutMs / 2)],
    ]);
    const [reply, acknowledged] = (await this.#withTimeout(pipeline.exec())) ?? [];
    if (reply?.[0]) throw reply[0];
    // From here on it is carried out, whatever became of the wait.
    if (acknowledged?.[0]) {
      const { message, hint } = this.#wrap(acknowledged[0]);
      throw new ConnectionLost(`nobody knows how many replicas have the message (${message})`, { sent: true, hint });
    }
    if (Number(acknowledged?.[1]) >= replicas) return reply?.[1];
    throw new ConnectionLost(`${Number(acknowledged?.[1])} of ${replicas} replicas have the message`, {
      sent: true,
      hint: "look at the replicas of this Redis; the option `replicas` says how many must answer",
    });
  }

  /** In a cluster nothing else bounds a command; elsewhere the client ends a connection that says nothing. */
  #withTimeout<T>(answer: Promise<T>): Promise<T> {
    if (!(this.#client instanceof Cluster)) return answer;
    const { clock, settings, silenceMs } = this.#options;
    return new Promise((resolve, reject) => {
      const timer = clock.setTimer((silenceMs ?? settings.timeoutMs) * 1.5, () => reject(this.#lost(true)));
      void answer.then(resolve, reject).finally(() => timer.cancel());
    });
  }

  #wrap(error: unknown): BrokerError {
    if (error instanceof BrokerError) return error;
    if (!isServerError(error)) return this.#lost(this.#wasSent(error));
    const { address } = this.#options.settings;
    const reason = passingReason(error) ?? this.#movedReason(error);
    if (reason === undefined) return redisError(error, address);
    return new ConnectionLost(`Redis at ${address} is not ready (${reason})`, { sent: false });
  }

  /** ioredis follows a slot to where it has moved, but not for a pipeline. */
  #movedReason(error: unknown): string | undefined {
    if (!(this.#client instanceof Cluster) || !messageOf(error).startsWith("MOVED")) return undefined;
    this.#client.refreshSlotsCache();
    return "MOVED";
  }

  /** ioredis says so when it could not even try. */
  #wasSent(error: unknown): boolean {
    return (
      !messageOf(error).startsWith("Stream isn't writeable") && !messageOf(error).startsWith("Cluster isn't ready")
    );
  }

  #lost(sent: boolean): ConnectionLost {
    return new ConnectionLost(`the connection to Redis at ${this.#options.settings.address} ended before its answer`, {
      sent,
    });
  }

  #unreachable(): BrokerError {
    return unreachable(this.#lastError, this.#options.settings.address);
  }

  /** Asks the Sentinels again. A client that is just connecting would take it for the end, so that it is left alone until it is connected. */
  #switch(): void {
    if (this.isReady) this.#client.disconnect(true);
    else this.#client.once("ready", () => this.#client.disconnect(true));
  }

  #onReady(): void {
    this.#lastError = undefined;
    this.#outages.isBack(this);
    this.#wasReady = true;
    this.#release();
    for (const listener of this.#listeners) listener();
  }

  #onError(error: unknown): void {
    this.#lastError = error;
    this.#release();
    // Whoever opens hears of it by an error.
    if (!this.#closed && this.#wasReady) this.#outages.isAway(this, reasonOf(error));
  }

  #release(): void {
    for (const wake of this.#waiting) wake();
  }
}

/**
 * Arguments of EVALSHA or EVAL. Not one literal with all in it: after some that were held for long V8 makes such literals old from the start, and what
 * they hold grows old with them.
 */
function callOf(script: string, keys: readonly string[], args: readonly Argument[]): Argument[] {
  const head: readonly Argument[] = [script, keys.length];
  return head.concat(keys, args);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What the server itself said. */
function isServerError(error: unknown): boolean {
  return error instanceof ReplyError || (error instanceof Error && error.name === "ReplyError");
}
