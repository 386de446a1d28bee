import type { App } from "../app.ts";
import type { OutgoingMessage } from "../broker/broker-message.ts";
import type { Publication } from "../broker/once.ts";
import type { QueueInspector, QueueStats } from "../broker/inspector.ts";
import { defaultDecodeLimits } from "../celery-body.ts";
import { decodeMessage } from "../celery-codec.ts";
import type { Duration } from "../duration.ts";
import type { Message } from "../message.ts";
import { QError } from "../q-error.ts";
import type { WorkerEvent } from "../worker/worker-event.ts";
import type { WorkerOptions } from "../worker/worker-options.ts";
import type { Worker } from "../worker/worker.ts";
import { FakeClock } from "./fake-clock.ts";
import { MemoryBroker } from "./memory-broker.ts";
import { MemoryStore } from "./memory-store.ts";

export interface TestAppOptions {
  /** Of the worker; its events also go to `TestApp.events`. */
  readonly worker?: WorkerOptions;
  /** Epoch milliseconds at the start. Default 2030-01-01T00:00:00Z. */
  readonly now?: number;
}

/** Real milliseconds that `drain` waits for handlers to end. */
const drainWithinMs = 10_000;

/**
 * Puts an app on a memory broker and a clock of the test's own. Call it before the app is first used.
 *
 * ```ts
 * const t = testApp(app);
 * await signUp(user);                       // code under test
 * expect(t.sent(sendWelcome)).toEqual([{ userId: 1 }]);
 * await t.drain();                          // runs everything that is ready
 * await t.advance("3d");                    // and what falls due in three days
 * await t.close();
 * ```
 */
export function testApp(app: App, options: TestAppOptions = {}): TestApp {
  return new TestApp(app, options);
}

/** An app, its worker, and time, in a test's hands. Real serialisation, real validation, real retries. */
export class TestApp {
  readonly clock: FakeClock;
  readonly store: MemoryStore;
  /** Everything that happened in the workers, oldest first. */
  readonly events: WorkerEvent[] = [];
  readonly #app: App;
  readonly #workerOptions: WorkerOptions;
  readonly #broker: RecordingBroker;
  readonly #open = new Set<MemoryBroker>();
  #working: { readonly worker: Worker; readonly broker: MemoryBroker } | undefined;

  /** Use `testApp`. */
  constructor(app: App, options: TestAppOptions) {
    this.clock = new FakeClock(options.now === undefined ? {} : { now: options.now });
    this.store = new MemoryStore({ clock: this.clock });
    this.#app = app;
    this.#workerOptions = options.worker ?? {};
    this.#broker = new RecordingBroker(this.store);
    app.use({ broker: this.#broker, clock: this.clock });
  }

  /** Arguments of every call of the task that was stored so far, in order: an object, or a list where they were positional. Duplicates are not stored. */
  sent(task: string | { readonly name: string }): readonly unknown[] {
    const name = typeof task === "string" ? task : task.name;
    return this.messages
      .filter((message) => message.task === name)
      .map(({ args, kwargs }) => (args.length > 0 ? args : kwargs));
  }

  /** Every message that was sent so far, decoded. Retries are not sends. */
  get messages(): readonly Message[] {
    const limits = { ...defaultDecodeLimits, maxBytes: Infinity };
    return this.#broker.published.map((message) => decodeMessage(message, limits));
  }

  /** How many messages were sent so far. */
  get messageCount(): number {
    return this.#broker.published.length;
  }

  /** Looks into the queues; `t.inspector.deadLetters("default", { limit: 10 })`. */
  get inspector(): QueueInspector {
    return this.#broker.inspector;
  }

  async stats(queue: string): Promise<QueueStats> {
    await this.#app.open();
    return await this.#broker.inspector.stats(queue);
  }

  /**
   * Runs everything that can run now, and what that sends; waits until the handlers have ended.
   * @throws QError `Q4009` when they have not after 10 real seconds
   */
  async drain(): Promise<void> {
    await this.#app.open();
    await this.#work();
    const deadline = performance.now() + drainWithinMs;
    for (;;) {
      await this.clock.advance(0);
      if (await this.#isQuiet()) return;
      if (performance.now() > deadline) {
        const running = this.#working?.worker.running().map(({ task }) => task) ?? [];
        throw new QError("Q4009", `still running after ${drainWithinMs} ms: ${running.join(", ")}`, {
          hint: "a handler that waits for the clock needs t.advance(); one that waits for ever needs ctx.signal",
        });
      }
      // Real I/O of a handler takes real time.
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  /** Lets time pass: delays end, retries fall due and run. */
  async advance(duration: Duration | number): Promise<void> {
    await this.#work();
    await this.clock.advance(duration);
    await this.drain();
  }

  /**
   * The worker's process dies as by SIGKILL: nothing it held is settled. The next `drain` or `advance` starts another, and the messages return
   * to it after the store's recovery time. May be called by a handler.
   */
  crash(): void {
    const dead = this.#working;
    this.#working = undefined;
    if (dead === undefined) return;
    dead.broker.crash();
    void dead.worker.abort();
  }

  /** Stops the worker and the app. */
  async close(): Promise<void> {
    await this.#working?.worker.abort();
    await Promise.all([...this.#open].map((broker) => broker.close()));
    await this.#app.close();
  }

  /** A worker with a broker of its own, so that it can die alone. */
  async #work(): Promise<void> {
    if (this.#working !== undefined) return;
    const broker = new MemoryBroker(this.store);
    this.#open.add(broker);
    const { onEvent } = this.#workerOptions;
    const worker = this.#app.createWorker(
      {
        ...this.#workerOptions,
        onEvent: (event) => {
          this.events.push(event);
          onEvent?.(event);
        },
      },
      broker,
    );
    this.#working = { worker, broker };
    await worker.start();
  }

  async #isQuiet(): Promise<boolean> {
    if (this.#working === undefined) return true;
    const { worker } = this.#working;
    if (worker.stats().busy > 0) return false;
    const stats = await Promise.all(this.#app.queues.map(({ name }) => this.#broker.inspector.stats(name)));
    return stats.every(
      ({ queue, ready, inFlight, paused }) =>
        inFlight === 0 && (ready === 0 || paused || !worker.queues.includes(queue)),
    );
  }
}

/** Remembers what was sent. */
class RecordingBroker extends MemoryBroker {
  readonly published: OutgoingMessage[] = [];

  override async publish(messages: readonly OutgoingMessage[]): Promise<void> {
    await super.publish(messages);
    this.published.push(...messages);
  }

  override async publishOnce(message: OutgoingMessage, key: string, ttlMs: number): Promise<Publication> {
    const publication = await super.publishOnce(message, key, ttlMs);
    if (publication === "published") this.published.push(message);
    return publication;
  }
}
