import { Bag } from "../broker/bag.ts";
import type { Delivery, Outcome } from "../broker/delivery.ts";
import type { Lease } from "../broker/lease-store.ts";
import type { Message } from "../message.ts";
import type { RunResult } from "../outcome.ts";
import type { Task } from "../task.ts";
import { Attempt, type AttemptSurroundings } from "./attempt.ts";
import { CanvasWarning } from "./canvas-warning.ts";
import type { DoubtfulTick, DuplicateGuard } from "./duplicates.ts";
import { GuardedDelivery } from "./guarded-delivery.ts";
import type { Admission, OverlapGuard } from "./overlap.ts";
import { triage, type TriageRules } from "./triage.ts";

/** What a starter needs of its worker. */
export interface StarterOptions {
  readonly rules: TriageRules;
  readonly surroundings: AttemptSurroundings;
  readonly overlap: OverlapGuard;
  readonly duplicates: DuplicateGuard;
  readonly isStopping: () => boolean;
  /** Told when a run has ended. */
  readonly onEnd: (attempt: Attempt, result: RunResult) => void;
  /** Told when a delivery that had taken a slot does not run. */
  readonly onSkipped: (delivery: Delivery) => void;
}

/** A message that may run when nothing is in its way. */
interface Candidate {
  readonly task: Task<never>;
  readonly message: Message;
  /** Whose runs must not overlap. */
  readonly schedule: string | undefined;
  readonly tick: DoubtfulTick | undefined;
}

const unguarded: Admission = { kind: "run", lease: undefined };

/** Turns deliveries into runs: sorts them, records what must be recorded before, and knows what runs. */
export class Starter {
  readonly #options: StarterOptions;
  readonly #attempts = new Bag<Attempt>();
  readonly #canvas: CanvasWarning;

  constructor(options: StarterOptions) {
    this.#options = options;
    this.#canvas = new CanvasWarning(options.surroundings.logger);
  }

  /** What runs now. */
  get attempts(): Iterable<Attempt> & { readonly size: number } {
    return this.#attempts;
  }

  /** Sorts a delivery and runs it when it can be run. Answers whether that takes a slot. */
  start(delivery: Delivery): boolean {
    const { rules, surroundings, overlap, duplicates } = this.#options;
    if (delivery.lost.aborted) {
      // While it waited for a slot somebody else has got it, and may be done with it. Who handed it out counts it until it is settled.
      void this.settle(delivery, { kind: "release" });
      return false;
    }
    const sorted = triage(delivery, rules, surroundings.clock.now());
    if (sorted.kind === "settle") {
      const { outcome, event } = sorted;
      surroundings.settling.settle(delivery, outcome, {
        settled: (answer) => {
          if (answer === "settled") surroundings.emit?.(event);
        },
        failed: (error) => this.#logUnsettled(error, outcome),
      });
      return false;
    }
    const { task, message } = sorted;
    this.#canvas.look(message);
    const schedule = overlap.scheduleOf(delivery);
    const tick = duplicates.tickOf(delivery);
    if (schedule !== undefined || tick !== undefined || delivery.crashes > 0 || task.isAtMostOnce)
      void this.#runPrepared(delivery, { task, message, schedule, tick });
    else this.#run(delivery, task, message);
    return true;
  }

  /** `true` when it was settled by us. Never rejects. */
  async settle(delivery: Delivery, outcome: Outcome): Promise<boolean> {
    try {
      return (await delivery.settle(outcome)) === "settled";
    } catch (error) {
      this.#logUnsettled(error, outcome);
      return false;
    }
  }

  /** Asks and records first what must be known before it runs. Never rejects. */
  async #runPrepared(delivery: Delivery, candidate: Candidate): Promise<void> {
    const { onSkipped } = this.#options;
    const { task, message } = candidate;
    const admission = await this.#admit(delivery, candidate);
    if (admission.kind === "settle") await this.#settleTelling(delivery, admission);
    else if (await this.#prepare(delivery, task, admission.lease))
      return this.#run(delivery, task, message, admission.lease);
    onSkipped(delivery);
  }

  /** Whether its schedule lets it run. Never rejects. */
  async #admit(delivery: Delivery, { message, schedule, tick }: Candidate): Promise<Admission> {
    const { overlap, duplicates } = this.#options;
    if (tick !== undefined && (await duplicates.isDuplicate(tick))) {
      const { id, task, queue, retries } = message;
      const facts = { id, task, queue, retries, crashes: delivery.crashes, schedule: tick.name };
      const event = { ...facts, type: "task.skipped", because: "duplicate" } as const;
      return { kind: "settle", outcome: { kind: "ack" }, event };
    }
    return schedule === undefined ? unguarded : await overlap.admit(schedule, delivery, message);
  }

  /** Settles what does not run, and tells of it. Never rejects. */
  async #settleTelling(delivery: Delivery, { outcome, event }: Extract<Admission, { kind: "settle" }>): Promise<void> {
    const settled = await this.settle(delivery, outcome);
    if (settled && event !== undefined) this.#options.surroundings.emit?.(event);
  }

  /** Whether it may run. If not, its schedule's lease has ended. Never rejects. */
  async #prepare(delivery: Delivery, task: Task<never>, lease: Lease | undefined): Promise<boolean> {
    const isMarked = delivery.crashes === 0 || (await this.#mark(delivery));
    if (isMarked && !this.#options.isStopping()) {
      if (!task.isAtMostOnce || (await this.settle(delivery, { kind: "ack" }))) return true;
      await lease?.release();
      return false;
    }
    // Before the message goes back: whoever gets it next must not find its own run under way.
    await lease?.release();
    await this.settle(delivery, { kind: "release" });
    return false;
  }

  /** Records that a suspect is about to run: it must not run unmarked. Never rejects. */
  async #mark(delivery: Delivery): Promise<boolean> {
    try {
      return (await delivery.start()) === "settled";
    } catch (error) {
      this.#options.surroundings.logger.warn({ err: error }, "a suspect could not be marked; giving it back");
      return false;
    }
  }

  /** @param lease what keeps other runs of its schedule from beginning */
  #run(delivery: Delivery, task: Task<never>, message: Message, lease?: Lease): void {
    const { surroundings } = this.#options;
    if (lease === undefined) return this.#begin(new Attempt(delivery, task, message, surroundings), this.#onEnd);
    const guarded = new GuardedDelivery(delivery, lease, () => attempt.isOverdue);
    const attempt = new Attempt(guarded, task, message, surroundings);
    this.#begin(attempt, (ended, result) => {
      this.#onEnd(ended, result);
      // Where its message was settled before its code has ended, or at the start.
      void lease.release();
    });
  }

  #begin(attempt: Attempt, onEnd: (attempt: Attempt, result: RunResult) => void): void {
    this.#attempts.add(attempt);
    attempt.run(onEnd);
  }

  readonly #onEnd = (attempt: Attempt, result: RunResult): void => {
    this.#attempts.delete(attempt);
    this.#options.onEnd(attempt, result);
  };

  #logUnsettled(error: unknown, { kind }: Outcome): void {
    this.#options.surroundings.logger.error(
      { err: error, outcome: kind },
      "the outcome could not be stored; the message may run again",
    );
  }
}
