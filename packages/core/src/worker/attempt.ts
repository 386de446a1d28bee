import { ArgumentsError, namedArguments, validateArguments } from "../arguments.ts";
import type { Baggable } from "../broker/bag.ts";
import type { BrokerMessage } from "../broker/broker-message.ts";
import type { Delivery, Outcome } from "../broker/delivery.ts";
import { retryHeaders } from "../celery-headers.ts";
import type { Clock } from "../clock.ts";
import { SoftTimeLimitExceeded, TimeLimitExceeded, WorkerStopping } from "../errors.ts";
import type { Logger } from "../logger.ts";
import type { Message } from "../message.ts";
import type { Runner } from "../middleware.ts";
import { decide, isVerdict, type Decision, type RunResult } from "../outcome.ts";
import type { Task } from "../task.ts";
import { AttemptContext, runInContext } from "../task-context.ts";
import { isThenable } from "../thenable.ts";
import { Conclusion } from "./conclusion.ts";
import type { Settling } from "./settling.ts";
import type { TimeLimits } from "./time-limits.ts";
import type { EventListener, TaskEvent, TaskFacts } from "./worker-event.ts";

/** What all attempts of one worker share. */
export interface AttemptSurroundings {
  readonly worker: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly runner: Runner;
  readonly timeLimits: TimeLimits;
  readonly settling: Settling;
  /** For tasks and messages that have none. */
  readonly softTimeLimitMs: number | null;
  readonly timeLimitMs: number | null;
  readonly emit: EventListener | undefined;
}

const none: (() => void)[] = [];
const returned: RunResult = { kind: "returned" };

/**
 * One run of a handler for one delivery: context, time limits, outcome, settle.
 *
 * | ends by | settles as |
 * |---|---|
 * | return, throw | what `decide` says |
 * | hard time limit | what `decide` says of TimeLimitExceeded; the handler may go on, its end is ignored |
 * | shutdown | released, uncounted |
 */
export class Attempt implements Baggable {
  place = 0;
  readonly message: Message;
  readonly startedAt: number;
  readonly delivery: Delivery;
  readonly #task: Task<never>;
  readonly #surroundings: AttemptSurroundings;
  readonly #startedMonotonic: number;
  #endedMonotonic: number | undefined;
  #context: AttemptContext | undefined;
  /** Why it was ended from outside; the context may not be there yet. */
  #endedBy: Error | undefined;
  #isSettled = false;
  #isOverdue = false;
  #isHandedBack = false;
  /** Of its time limits. */
  #cancels: (() => void)[] = none;
  #onEnd: ((attempt: Attempt, result: RunResult) => void) | undefined;
  /** There when its outcome is on the way to the broker. */
  #conclusion: Conclusion | undefined;

  constructor(delivery: Delivery, task: Task<never>, message: Message, surroundings: AttemptSurroundings) {
    this.delivery = delivery;
    this.#task = task;
    this.message = message;
    this.#surroundings = surroundings;
    this.startedAt = surroundings.clock.now();
    this.#startedMonotonic = surroundings.clock.monotonic();
  }

  get crashes(): number {
    return this.delivery.crashes;
  }

  /** Of the message's body, roughly: text counts by its characters. */
  get bytes(): number {
    return this.#stored.body.length;
  }

  /** Its message is settled, but its code still runs. */
  get isOverdue(): boolean {
    return this.#isOverdue;
  }

  /** It did not end by itself before the worker stopped. */
  get isHandedBack(): boolean {
    return this.#isHandedBack;
  }

  /** When it ended, monotonic milliseconds; now while it runs. */
  get endedAt(): number {
    return this.#endedMonotonic ?? this.#surroundings.clock.monotonic();
  }

  /** Milliseconds that it ran, or has run so far. */
  get ms(): number {
    return this.endedAt - this.#startedMonotonic;
  }

  /** Runs the handler and calls back once at its end, which may be at once. Never throws. */
  run(onEnd: (attempt: Attempt, result: RunResult) => void): void {
    const { emit } = this.#surroundings;
    if (emit !== undefined) emit({ ...this.#facts(), type: "task.started" });
    this.#onEnd = onEnd;
    this.#watchLimits();
    const refuse = (error: unknown): void =>
      this.#end({ kind: error instanceof ArgumentsError ? "refused" : "threw", error });
    let args: unknown;
    try {
      args = this.#arguments();
    } catch (error) {
      return refuse(error);
    }
    if (args instanceof Promise) args.then((known) => this.#call(known), refuse);
    else this.#call(args);
  }

  /** Settles it by its result, unless it was settled before it ended. */
  conclude(result: RunResult): void {
    if (this.#isSettled) return;
    const isInterrupted =
      this.#endedBy instanceof WorkerStopping && result.kind === "threw" && !isVerdict(result.error);
    if (isInterrupted && !this.#task.isAtMostOnce) this.handBack();
    else this.#carryOut(result);
  }

  /** Calls back when the broker has answered to its outcome, which may have been before. */
  whenStored(onStored: () => void): void {
    if (this.#conclusion === undefined) onStored();
    else this.#conclusion.whenStored(onStored);
  }

  /** Tells the handler that the worker is about to stop. */
  announceStop(): void {
    this.#abort(new WorkerStopping());
  }

  /** Gives the message back while the handler still runs; one that is at-most-once is gone. */
  handBack(): void {
    if (this.#isSettled) return;
    this.#isHandedBack = true;
    this.announceStop();
    if (this.#task.isAtMostOnce) this.#carryOut({ kind: "threw", error: this.#endedBy });
    else this.#settle({ kind: "release" }, () => ({ ...this.#facts(), type: "task.released", ms: this.ms }));
  }

  #abort(reason: Error): void {
    this.#endedBy ??= reason;
    this.#context?.abort(this.#endedBy);
  }

  #watchLimits(): void {
    const { timeLimits, softTimeLimitMs, timeLimitMs } = this.#surroundings;
    const soft = this.message.softTimeLimitMs ?? this.#task.softTimeLimitMs ?? softTimeLimitMs;
    const hard = this.message.timeLimitMs ?? this.#task.timeLimitMs ?? timeLimitMs;
    if (soft === null && hard === null) return;
    this.#cancels = [];
    if (soft !== null) this.#cancels.push(timeLimits.after(soft, () => this.#abort(new SoftTimeLimitExceeded(soft))));
    if (hard !== null) this.#cancels.push(timeLimits.after(hard, () => this.#giveUp(new TimeLimitExceeded(hard))));
  }

  #giveUp(error: TimeLimitExceeded): void {
    if (this.#isSettled) return;
    this.#isOverdue = true;
    this.#abort(error);
    this.#surroundings.emit?.({ ...this.#facts(), type: "task.overdue", ms: this.ms });
    this.#carryOut({ kind: "threw", error });
  }

  /** At once, unless the schema is asynchronous. @throws ArgumentsError */
  #arguments(): unknown {
    const named = namedArguments(this.message, this.#task.positional);
    const { schema } = this.#task;
    return schema === undefined ? named : validateArguments(this.#task.name, schema, named);
  }

  /** No promise but the handler's own: most tasks wait for nothing else, and each costs as much as a short task. */
  #call(args: unknown): void {
    let running: Promise<unknown> | undefined;
    try {
      // Checking them may have taken its time, and somebody else have the message by now.
      if (this.#isSettled && this.#endedBy !== undefined) throw this.#endedBy;
      const context = this.#makeContext(args);
      // The task's schema has accepted the arguments, or it declared none and takes what comes.
      running = runInContext(context, () =>
        promiseOf(this.#surroundings.runner(context, () => this.#task.handler(args as never, context))),
      );
    } catch (error) {
      return this.#end({ kind: "threw", error });
    }
    if (running === undefined) return this.#end(returned);
    running.then(
      () => this.#end(returned),
      (error: unknown) => this.#end({ kind: "threw", error }),
    );
  }

  #end(result: RunResult): void {
    this.#context?.end();
    this.#endedMonotonic = this.#surroundings.clock.monotonic();
    for (const cancel of this.#cancels) cancel();
    this.#onEnd?.(this, result);
  }

  #makeContext(args: unknown): AttemptContext {
    const { logger, emit } = this.#surroundings;
    const maxRetries = this.message.maxRetries ?? this.#task.maxRetries;
    const onProgress =
      emit === undefined
        ? undefined
        : (value: number): void => emit({ ...this.#facts(), type: "task.progress", value });
    this.#context = new AttemptContext(this.message, this.delivery, { args, maxRetries, logger, onProgress });
    if (this.#endedBy !== undefined) this.#context.abort(this.#endedBy);
    return this.#context;
  }

  #carryOut(result: RunResult): void {
    const { message } = this;
    const task = this.#task;
    const maxRetries = message.maxRetries ?? task.maxRetries;
    const { retryPolicy, defaultRetryDelayMs, isAtMostOnce } = task;
    const policy = { retryPolicy, defaultRetryDelayMs, maxRetries, retries: message.retries, isAtMostOnce };
    const decision = decide(result, policy, Math.random());
    const event = (): TaskEvent => this.#eventOf(decision, maxRetries);
    if (!isAtMostOnce) return this.#settle(this.#outcomeOf(decision), event);
    this.#isSettled = true;
    this.#surroundings.emit?.(event());
  }

  #outcomeOf(decision: Decision): Outcome {
    switch (decision.kind) {
      case "succeeded":
      case "ignored":
        return { kind: "ack" };
      case "dead":
        return { kind: "bury", reason: { ...decision.reason, worker: this.#surroundings.worker } };
      case "retry": {
        const { delayMs } = decision;
        const dueMs = this.#surroundings.clock.now() + delayMs;
        const headers = retryHeaders(this.#stored.headers, {
          retries: this.message.retries + 1,
          etaMs: delayMs > 0 ? dueMs : null,
          parentId: this.message.id,
          sentAtMs: dueMs,
        });
        return { kind: "requeue", delayMs, headers };
      }
    }
  }

  #eventOf(decision: Decision, maxRetries: number): TaskEvent {
    const facts = this.#facts();
    const { ms } = this;
    switch (decision.kind) {
      case "succeeded": {
        const { sentAtMs } = this.message;
        return {
          ...facts,
          type: "task.succeeded",
          ms,
          waitMs: sentAtMs === null ? null : Math.max(0, this.startedAt - sentAtMs),
        };
      }
      case "ignored":
        return { ...facts, type: "task.ignored", ms, error: decision.error };
      case "retry":
        return { ...facts, type: "task.retried", ms, error: decision.error, delayMs: decision.delayMs, maxRetries };
      case "dead":
        return { ...facts, type: "task.dead", ms, reason: decision.reason };
    }
  }

  #settle(outcome: Outcome, event: () => TaskEvent): void {
    this.#isSettled = true;
    const { settling, emit, logger } = this.#surroundings;
    const conclusion = new Conclusion({
      facts: this.#facts(),
      ms: this.ms,
      event: emit === undefined ? undefined : event(),
      emit,
      logger,
    });
    this.#conclusion = conclusion;
    settling.settle(this.delivery, outcome, conclusion);
  }

  /** A malformed delivery never gets this far: triage has dead-lettered it. */
  get #stored(): BrokerMessage {
    return this.delivery.message as BrokerMessage;
  }

  /** Which message it is, for an event. */
  #facts(): TaskFacts {
    const { id, task, queue, retries } = this.message;
    return { id, task, queue, retries, crashes: this.delivery.crashes };
  }
}

/**
 * What there is to wait for, `undefined` when there is nothing. A query of a database client begins only when it is waited for: that has to be in the
 * task's context.
 */
function promiseOf(value: unknown): Promise<unknown> | undefined {
  return isThenable(value) ? Promise.resolve(value) : undefined;
}
