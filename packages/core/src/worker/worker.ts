import type { Broker } from "../broker/broker.ts";
import type { Subscription } from "../broker/control-bus.ts";
import { atMost } from "../clock.ts";
import type { Logger } from "../logger.ts";
import { composeRun } from "../middleware.ts";
import type { AppSettings } from "../app-options.ts";
import type { RunResult } from "../outcome.ts";
import type { Task } from "../task.ts";
import type { Attempt, AttemptSurroundings } from "./attempt.ts";
import { Drain } from "./drain.ts";
import { DuplicateGuard } from "./duplicates.ts";
import { checkHoldLimit } from "./hold-limit.ts";
import { Intake } from "./intake.ts";
import { LoopLag } from "./loop-lag.ts";
import { OverlapGuard } from "./overlap.ts";
import { Prefetch } from "./prefetch.ts";
import { answerPings, describeWorker } from "./presence.ts";
import { Settling } from "./settling.ts";
import { Slots } from "./slots.ts";
import { Starter } from "./starter.ts";
import { Throughput } from "./throughput.ts";
import { TimeLimits } from "./time-limits.ts";
import { Watchdog } from "./watchdog.ts";
import { guarded, type WorkerEvent } from "./worker-event.ts";
import { readWorkerOptions, type WorkerOptions, type WorkerSettings } from "./worker-options.ts";

/** What a worker needs of its app. */
export interface WorkerHost {
  readonly broker: Broker;
  readonly settings: AppSettings;
  readonly tasks: ReadonlyMap<string, Task<never>>;
  open(): Promise<void>;
}

/** `new` → `running` ⇄ `paused` → `stopping` → `stopped`; stopping also before start. */
export type WorkerState = "new" | "running" | "paused" | "stopping" | "stopped";

/** A message that is being run. */
export interface RunningTask {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  readonly crashes: number;
}

/** How long before the end of the shutdown timeout `ctx.signal` aborts; at most half of it. */
const announceBeforeMs = 5000;
const mostWaitForBrokerMs = 5000;

/** Takes messages from the broker and runs their tasks, at most `concurrency` at a time. Made by `app.createWorker`. */
export class Worker {
  readonly name: string;
  readonly release: string | undefined;
  readonly queues: readonly string[];
  readonly concurrency: number;
  /** Resolves, with the reason, when the worker can do no more and its process should end. */
  readonly failed: Promise<Error>;
  readonly #host: WorkerHost;
  readonly #settings: WorkerSettings;
  readonly #logger: Logger;
  readonly #surroundings: AttemptSurroundings;
  readonly #slots: Slots;
  readonly #prefetch: Prefetch;
  readonly #starter: Starter;
  readonly #settling: Settling = new Settling(() => this.#checkDrains());
  /** Nothing runs, and every outcome is stored. */
  readonly #drain: Drain;
  /** Every outcome is stored. */
  readonly #stored: Drain;
  readonly #intake: Intake;
  readonly #throughput: Throughput;
  readonly #handBackNow = new AbortController();
  readonly #stopped = new AbortController();
  #state: WorkerState = "new";
  #starting: Promise<void> | undefined;
  #watchdog: Watchdog | undefined;
  #loopLag: LoopLag | undefined;
  #lastEnded: string | undefined;
  #presence: Subscription | undefined;
  #stopping: Promise<{ unfinished: number }> | undefined;
  #finished = 0;
  /** Of the attempts that have ended. */
  #handedBack = 0;
  #startedAt = 0;
  #fail: (error: Error) => void = () => {};

  constructor(host: WorkerHost, options: WorkerOptions = {}) {
    const settings = readWorkerOptions(options, host.settings, host.tasks);
    const { clock, middleware, maxCrashes, parkForMs } = host.settings;
    this.#host = host;
    this.#settings = settings;
    this.name = settings.name;
    this.release = settings.release;
    this.queues = settings.queues;
    this.concurrency = settings.concurrency;
    this.failed = new Promise((resolve) => (this.#fail = resolve));
    this.#logger = host.settings.logger.child({ worker: this.name });
    this.#surroundings = {
      worker: this.name,
      clock,
      logger: this.#logger,
      runner: composeRun(middleware),
      timeLimits: new TimeLimits(clock),
      settling: this.#settling,
      softTimeLimitMs: settings.softTimeLimitMs,
      timeLimitMs: settings.timeLimitMs,
      emit: guarded(settings.onEvent, this.#logger),
    };
    const { leases, schedules } = host.broker;
    this.#starter = new Starter({
      rules: { worker: this.name, tasks: host.tasks, limits: settings.decodeLimits, maxCrashes, parkForMs },
      surroundings: this.#surroundings,
      overlap: new OverlapGuard({ leases, clock, logger: this.#logger, signal: this.#stopped.signal }),
      duplicates: new DuplicateGuard(schedules, this.#logger),
      isStopping: () => this.#isStopping,
      onEnd: (attempt, result) => this.#onEnd(attempt, result),
      onSkipped: (delivery) => this.#slots.freed(delivery),
    });
    this.#throughput = new Throughput(clock);
    this.#slots = new Slots(
      settings.concurrency,
      (delivery) => this.#starter.start(delivery),
      () => this.#onFree(),
    );
    // What is overdue keeps its slot, but its outcome is stored: nobody waits for it.
    this.#drain = new Drain(clock, () => this.#settling.count === 0 && this.#slots.busy <= this.#overdue());
    this.#stored = new Drain(clock, () => this.#settling.count === 0);
    this.#prefetch = new Prefetch(settings.concurrency, settings.prefetch);
    this.#intake = new Intake({
      broker: host.broker,
      queues: settings.queues,
      prefetch: this.#prefetch,
      slots: this.#slots,
      clock,
      logger: this.#logger,
      release: (delivery) => this.#starter.settle(delivery, { kind: "release" }),
    });
  }

  get state(): WorkerState {
    return this.#state;
  }

  /**
   * Connects and begins to take messages. The tasks must be known by now: call `app.loadImports()` before. A second call waits with the first.
   * One that was stopped stays so, and this does nothing then: make another.
   * @throws BrokerError when the broker cannot be reached; it can then be started again
   */
  async start(): Promise<void> {
    if (this.#state === "new") {
      this.#state = "running";
      this.#starting = this.#begin();
    }
    await this.#starting;
  }

  /** Takes no more messages until `resume`. What runs goes on. */
  async pause(): Promise<void> {
    if (this.#state !== "running") return;
    this.#state = "paused";
    await this.#intake.close();
    if (this.state === "paused") this.#emit({ type: "worker.paused", worker: this.name });
  }

  /**
   * @throws BrokerError when the broker cannot be reached; the worker is then still paused
   */
  async resume(): Promise<void> {
    if (this.#state !== "paused") return;
    this.#state = "running";
    try {
      await this.#starting;
      await this.#intake.open();
    } catch (error) {
      if (this.state === "running") await this.pause();
      throw error;
    }
    if (this.state === "running") this.#emit({ type: "worker.resumed", worker: this.name });
  }

  /**
   * Takes no more messages, waits for those that run, then hands the rest back uncounted. Never rejects; a second call waits with the first.
   * @returns how many had to be handed back
   */
  stop(options: { readonly timeoutMs?: number } = {}): Promise<{ unfinished: number }> {
    this.#stopping ??= this.#stop(options.timeoutMs ?? this.#settings.shutdownTimeoutMs);
    return this.#stopping;
  }

  /** As `stop`, but hands back at once; ends a `stop` that is waiting. */
  abort(): Promise<{ unfinished: number }> {
    this.#handBackNow.abort();
    return this.stop();
  }

  /** What runs now, longest first. */
  running(): readonly RunningTask[] {
    const longestFirst = [...this.#starter.attempts].toSorted((one, other) => other.ms - one.ms);
    return longestFirst.map(({ message, startedAt, crashes }) => {
      const { id, task, queue } = message;
      return { id, task, queue, startedAt, crashes };
    });
  }

  /** `finished` counts ended runs, however they ended. */
  stats(): { readonly busy: number; readonly finished: number; readonly startedAt: number } {
    return { busy: this.#slots.busy, finished: this.#finished, startedAt: this.#startedAt };
  }

  get #isStopping(): boolean {
    return this.#state === "stopping" || this.#state === "stopped";
  }

  async #begin(): Promise<void> {
    const { broker, settings } = this.#host;
    try {
      await this.#host.open();
      if (broker.holdLimit !== undefined)
        checkHoldLimit(broker.holdLimit, this.#host.tasks.values(), this.#settings.timeLimitMs);
      if (broker.control !== undefined)
        this.#presence = await answerPings(broker.control, () => describeWorker(this, this.#throughput), this.#logger);
      this.#startedAt = settings.clock.now();
      // Whoever paused or stopped it meanwhile has closed the intake before this opens it.
      if (this.#state === "running") await this.#intake.open();
    } catch (error) {
      await this.#closePresence();
      if (!this.#isStopping) this.#state = "new";
      throw error;
    }
    if (this.#isStopping) await this.#closePresence();
    else this.#beReady();
  }

  #beReady(): void {
    const { tasks } = this.#host;
    this.#watchdog = this.#watch();
    this.#loopLag = new LoopLag((ms) => this.#onBlocked(ms));
    const names = [...tasks.keys()].toSorted();
    this.#emit({ type: "worker.ready", worker: this.name, queues: this.queues, slots: this.concurrency, tasks: names });
  }

  #overdue(): number {
    let count = 0;
    for (const attempt of this.#starter.attempts) if (attempt.isOverdue) count += 1;
    return count;
  }

  #watch(): Watchdog {
    return new Watchdog(
      {
        heardAt: () => this.#intake.heardAt,
        rebuild: async () => {
          await this.#intake.close();
          if (this.#state === "running") await this.#bounded(this.#intake.open());
        },
        slots: () => ({
          size: this.concurrency,
          overdue: this.#overdue(),
        }),
        onFailed: (error) => this.#fail(error),
      },
      this.#logger,
    );
  }

  #onFree(): void {
    this.#intake.onFree();
    // They wait for their turn, and are not to keep others out.
    if (this.#slots.waitingSuspects > 0) this.#intake.adjust();
    this.#checkDrains();
  }

  #checkDrains(): void {
    this.#drain.check();
    this.#stored.check();
  }

  /**
   * The slot is free when the handler has ended, not when its outcome is stored. Not so a suspect's: the next one, if it kills the process, would take the
   * outcome of this one with it, and it would count as a culprit.
   */
  #onEnd(attempt: Attempt, result: RunResult): void {
    const { queue, task } = attempt.message;
    this.#finished += 1;
    this.#throughput.ended(queue, attempt.endedAt);
    this.#lastEnded = task;
    this.#prefetch.ran(attempt.ms, attempt.endedAt, this.#slots.busy, attempt.bytes);
    this.#intake.adjust();
    attempt.conclude(result);
    if (attempt.isHandedBack) this.#handedBack += 1;
    const { delivery } = attempt;
    if (attempt.crashes === 0) this.#slots.freed(delivery);
    else attempt.whenStored(() => this.#slots.freed(delivery));
  }

  async #stop(timeoutMs: number): Promise<{ unfinished: number }> {
    this.#state = "stopping";
    this.#stopped.abort();
    this.#watchdog?.stop();
    this.#loopLag?.stop();
    await this.#intake.close();
    this.#emit({ type: "worker.stopping", worker: this.name, waitingFor: this.#starter.attempts.size });
    const announceAfterMs = Math.max(timeoutMs - announceBeforeMs, timeoutMs / 2);
    if (!(await this.#drain.done(announceAfterMs, this.#handBackNow.signal))) {
      for (const attempt of this.#starter.attempts) attempt.announceStop();
      await this.#drain.done(timeoutMs - announceAfterMs, this.#handBackNow.signal);
    }
    const running = [...this.#starter.attempts].filter((attempt) => !attempt.isOverdue);
    const unfinished = running.length + this.#handedBack;
    for (const attempt of running) attempt.handBack();
    await this.#stored.done(mostWaitForBrokerMs);
    await this.#bounded(this.#closePresence());
    this.#surroundings.timeLimits.clear();
    this.#state = "stopped";
    this.#emit({ type: "worker.stopped", worker: this.name, unfinished });
    return { unfinished };
  }

  /** Never rejects. */
  async #closePresence(): Promise<void> {
    const presence = this.#presence;
    this.#presence = undefined;
    try {
      await presence?.close();
    } catch (error) {
      this.#logger.debug({ err: error }, "the subscription to pings could not be ended");
    }
  }

  /** Waits for the broker, but not for ever: one that is gone must not keep a worker from stopping. */
  async #bounded(work: Promise<unknown>): Promise<void> {
    await atMost(this.#surroundings.clock, mostWaitForBrokerMs, work);
  }

  #onBlocked(ms: number): void {
    const tasks = new Set(this.running().map(({ task }) => task));
    if (this.#lastEnded !== undefined) tasks.add(this.#lastEnded);
    this.#logger.warn({ code: "Q4003", ms: Math.round(ms), tasks: [...tasks] }, "the event loop was blocked");
    this.#emit({ type: "worker.blocked", worker: this.name, ms, tasks: [...tasks] });
  }

  #emit(event: WorkerEvent): void {
    this.#surroundings.emit?.(event);
  }
}
