import type { StandardSchemaV1 } from "@standard-schema/spec";
import { checkParts, readAppOptions, type AppOptions, type AppSettings } from "./app-options.ts";
import { PublishRejected } from "./broker/broker-error.ts";
import type { OutgoingMessage } from "./broker/broker-message.ts";
import type { Broker, QueueOptions } from "./broker/broker.ts";
import type { OncePublisher } from "./broker/once.ts";
import { callSite, formatLocation, type SourceLocation } from "./call-site.ts";
import { atMost, type Clock } from "./clock.ts";
import { eagerStore } from "./eager.ts";
import { loadImports, type Importer } from "./imports.ts";
import { assertKind, refuseUnknownOptions } from "./known-options.ts";
import type { Logger } from "./logger.ts";
import type { Store } from "./middleware.ts";
import { Producer } from "./producer.ts";
import { ConfigError } from "./q-error.ts";
import { Schedules } from "./schedule/schedules.ts";
import { sendMany, type SendingParts } from "./send-many.ts";
import { Sender } from "./sender.ts";
import type { Sent, SendOptions, Signature } from "./signature.ts";
import { Task, type Handler, type TaskOptions } from "./task.ts";
import { EagerRunner } from "./worker/eager-runner.ts";
import { assertDeclared, type WorkerOptions } from "./worker/worker-options.ts";
import { Worker } from "./worker/worker.ts";

/** What `App.use` can replace. */
export interface AppParts {
  readonly broker?: Broker;
  readonly logger?: Logger;
  readonly clock?: Clock;
}

/**
 * The one thing that ties queues, tasks and a broker together. Making it does no I/O; two of them can live in one process.
 * The first send or worker connects.
 */
export class App<Queue extends string = string> {
  /** Where `createApp` was called, when the engine could tell. */
  readonly definedAt: SourceLocation | undefined;
  /** What is sent at its time, by cron processes. */
  readonly schedules: Schedules;
  readonly #tasks = new Map<string, Task<never>>();
  #settings: AppSettings;
  #sending: SendingParts | undefined;
  #opening: Promise<void> | undefined;
  #isOpen = false;
  /** Closed, and not opened again: what is sent now comes too late. */
  #isClosed = false;
  #closings = 0;

  /** Use `createApp`. */
  constructor(options: AppOptions<Queue>, definedAt: SourceLocation | undefined) {
    this.definedAt = definedAt;
    this.#settings = readAppOptions(options, definedAt);
    this.schedules = new Schedules({
      settings: () => this.#settings,
      broker: () => this.broker,
      tasks: this.#tasks,
      ready: () => this.#ensureOpen(),
      send: (...call) => this.sendTask(...call),
    });
  }

  /**
   * @throws ConfigError `Q2019` when neither the app nor the command line names one
   */
  get broker(): Broker {
    const { broker } = this.#settings;
    if (broker !== undefined) return broker;
    throw new ConfigError("Q2019", "this app has no broker", {
      hint: 'createApp({ broker: sqlite("sqlite:.q/q.db"), … }), or set Q_BROKER_URL for the q command',
    });
  }

  get hasBroker(): boolean {
    return this.#settings.broker !== undefined;
  }

  get queues(): readonly QueueOptions[] {
    return this.#settings.queues;
  }

  /** Task modules as declared, and the folder they start from. */
  get imports(): { readonly patterns: readonly string[]; readonly root: string } {
    return { patterns: this.#settings.imports, root: this.#settings.root };
  }

  /** Every task that was declared so far, by name. */
  get tasks(): ReadonlyMap<string, Task<never>> {
    return this.#tasks;
  }

  /**
   * Other parts than the app was made with: the command line's `--broker` and logger, a test's broker and clock.
   * @throws ConfigError `Q2020` after the first send, worker or `open`; `Q2011`, `Q2030` for what is none of them
   */
  use(parts: AppParts): void {
    refuseUnknownOptions("app.use()", parts, ["broker", "logger", "clock"]);
    checkParts(parts);
    if (this.#sending !== undefined)
      throw new ConfigError("Q2020", "app.use() was called after the app was first used");
    this.#settings = { ...this.#settings, ...parts };
  }

  /**
   * Declares a task and what runs it.
   *
   * ```ts
   * export const saveEvent = app.instrumentedTask(
   *   { name: "events.save_event", retry: retry({ on: [DatabaseUnavailable] }) },
   *   async ({ eventId }: { eventId: string }) => { await save(eventId); },
   * );
   * ```
   * @throws ConfigError `Q2003` undeclared queue, `Q2004` name taken, `Q2005` no name, `Q2010` to `Q2016` bad options, `Q2024` no handler
   */
  instrumentedTask<Schema extends StandardSchemaV1<object>>(
    options: TaskOptions<Queue> & { readonly args: Schema },
    handler: Handler<StandardSchemaV1.InferOutput<Schema>>,
  ): Task<StandardSchemaV1.InferInput<Schema>>;
  instrumentedTask<Args extends object = object>(options: TaskOptions<Queue>, handler: Handler<Args>): Task<Args>;
  instrumentedTask(options: TaskOptions<Queue>, handler: Handler<never>): Task<never> {
    const definedAt = callSite(this.instrumentedTask);
    assertKind("the options of a task", options ?? null, "an object", '{ name: "mails.send" }');
    const declared = this.queues.map(({ name }) => name);
    const queue = options.queue ?? declared[0] ?? "";
    const task = new Task<never>(
      { send: (signature) => this.#send(signature) },
      { ...options, queue },
      handler,
      definedAt,
    );
    assertDeclared(queue, declared, ` for task "${task.name}" at ${formatLocation(definedAt)}`);
    const taken = this.#tasks.get(task.name);
    if (taken !== undefined) {
      throw new ConfigError(
        "Q2004",
        `two tasks are named "${task.name}": ${formatLocation(taken.definedAt)}, ${formatLocation(definedAt)}`,
        {
          hint: "rename one of them; names are the wire contract",
        },
      );
    }
    this.#tasks.set(task.name, task);
    return task;
  }

  /**
   * Sends a task by its name: one that another service owns. When the task is known here, its schema and settings apply.
   * @param args named arguments, or a list for a task that takes positional ones
   * @throws as `Task.delay`
   */
  sendTask(name: string, args: object = {}, options: SendOptions = {}): Promise<Sent> {
    return this.#send({ task: name, args, options });
  }

  /**
   * Sends many, few calls to the broker. Reads its input only as fast as the broker takes it: few messages are in memory at a time.
   * @throws the first error: reads no further, and waits until all that were begun have ended; use `delay` and `Promise.allSettled` to know each one's fate
   */
  async sendMany(signatures: Iterable<Signature> | AsyncIterable<Signature>): Promise<readonly Sent[]> {
    const { producer, sender } = this.#ready();
    return await sendMany(signatures, { producer, sender });
  }

  /**
   * Loads the task modules of `imports`; answers their absolute paths.
   * @throws ConfigError `Q2002`, `Q2009`, and those of `instrumentedTask`
   */
  loadImports(importer?: Importer): Promise<readonly string[]> {
    return loadImports(this.#settings.imports, this.#settings.root, importer);
  }

  /**
   * Connects and declares the queues. Sends and workers do it by themselves.
   * @throws BrokerError; the next call tries again
   */
  open(): Promise<void> {
    this.#isClosed = false;
    return this.#connected();
  }

  /**
   * Sends what is waiting to be sent, for `publishTimeout` at most, then disconnects. Later sends are refused with `Q1010`, until `open` or
   * a worker opens the app again. May be called twice, and without `open`.
   */
  async close(): Promise<void> {
    const { broker, clock, publishTimeoutMs } = this.#settings;
    if (this.#sending !== undefined) await atMost(clock, publishTimeoutMs, sent(this.#sending));
    this.#isOpen = false;
    this.#isClosed = true;
    this.#closings += 1;
    this.#opening = undefined;
    await broker?.close();
  }

  /**
   * A worker of this app. It does not run before `start()`.
   * @param broker one of its own, which it opens and the caller closes; default: the app's
   * @throws ConfigError for bad options
   */
  createWorker(options?: WorkerOptions, broker?: Broker): Worker {
    this.#ready();
    const open = broker === undefined ? () => this.open() : () => this.#connect(broker);
    return new Worker({ broker: broker ?? this.broker, settings: this.#settings, tasks: this.#tasks, open }, options);
  }

  #send(signature: Signature): Promise<Sent> {
    return this.#ready().sender.send(signature);
  }

  /** Makes what sends, with the parts that the app has by now. */
  #ready(): SendingParts {
    if (this.#sending !== undefined) return this.#sending;
    const { clock, publishTimeoutMs, maxBufferedBytes, eager, broker } = this.#settings;
    const producer = new Producer({
      publish: (messages) => (this.#isOpen ? this.broker.publish(messages) : this.#openAndPublish(messages)),
      publishOnce: async (message, { key, ttlMs }) => {
        const once = onceOf(this.broker);
        await this.#ensureOpen();
        return await once.publishOnce(message, key, ttlMs);
      },
      limits: broker?.publishLimits,
      clock,
      publishTimeoutMs,
      maxBufferedBytes,
    });
    const runner = eager ? new EagerRunner(this.#settings, this.#tasks) : undefined;
    const store: Store =
      runner === undefined
        ? (pending) => producer.send(pending)
        : eagerStore(clock, (delivery) => runner.run(delivery));
    this.#sending = { producer, sender: new Sender(this.#settings, this.#tasks, store) };
    return this.#sending;
  }

  async #openAndPublish(messages: readonly OutgoingMessage[]): Promise<void> {
    await this.#ensureOpen();
    await this.broker.publish(messages);
  }

  async #ensureOpen(): Promise<void> {
    if (this.#isClosed) throw new PublishRejected("Q1010", "the app is closed", { hint: "send before app.close()" });
    if (!this.#isOpen) await this.#connected();
  }

  /** The one opening that is under way or done; after a failure, the next call begins another. */
  #connected(): Promise<void> {
    if (this.#opening !== undefined) return this.#opening;
    const opening = this.#open();
    this.#opening = opening;
    opening.catch(() => {
      if (this.#opening === opening) this.#opening = undefined;
    });
    return opening;
  }

  async #open(): Promise<void> {
    this.#ready();
    const closings = this.#closings;
    await this.#connect(this.broker);
    if (closings === this.#closings) this.#isOpen = true;
    // A broker that took its time must not stay open behind the app's back.
    else if (this.#isClosed) await this.broker.close();
  }

  async #connect(broker: Broker): Promise<void> {
    await broker.open({ logger: this.#settings.logger.child({ broker: broker.address }) });
    await broker.declare(this.queues);
  }
}

/** Resolves when all that was begun to be sent has been, or has failed. */
async function sent({ producer, sender }: SendingParts): Promise<void> {
  await sender.noneKept();
  await producer.flush();
}

/**
 * The part of a broker that sends once per key.
 * @throws ConfigError `Q2025` when it has none
 */
function onceOf({ once, name }: Broker): OncePublisher {
  if (once !== undefined) return once;
  throw new ConfigError("Q2025", `the ${name} broker cannot send once per key`, {
    hint: "leave out key, and make the task safe to run twice",
  });
}

/**
 * The app: its queues, where its tasks live, its broker.
 * @throws ConfigError for options that make no sense
 */
export function createApp<const Queue extends string>(options: AppOptions<Queue>): App<Queue> {
  return new App(options, callSite(createApp));
}
