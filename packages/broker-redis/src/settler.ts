import { BrokerError, sleep, type Outcome, type Settled, type Timer } from "@q/core/broker";
import { reencodeEnvelope } from "./envelope.ts";
import { ConnectionLost } from "./redis-error.ts";
import type { QueueKeys } from "./keys.ts";
import type { Held } from "./scripts/claim.ts";
import { settle, type Ending, type SettleAnswer } from "./scripts/settle.ts";
import { SettleBatch } from "./settle-batch.ts";
import type { Store } from "./store.ts";

/** Most that goes out at once: a larger batch would keep Redis from everything else for too long. */
const largestBatch = 1000;
/**
 * A full disk, a login or rights that are just being changed, an expired certificate: somebody mends it, and until then what has ended must not run
 * again. Who never had the rights holds nothing.
 */
const mendable: ReadonlySet<string> = new Set(["Q1019", "Q1002", "Q1018", "Q1021"]);
/** Between attempts after a lost connection, and the longest after a refusal. Milliseconds. */
const pauseMs = 20;
const longestPauseMs = 1000;

export interface SettlerOptions {
  readonly keys: QueueKeys;
  readonly consumerId: string;
  /** Told when the lease turns out to be gone. */
  readonly onLost: () => void;
  /** Told of messages that are held no more: the store has their outcome, or they are somebody else's. */
  readonly onEnded: (fences: readonly number[]) => void;
}

/**
 * Ends the messages of one consumer, as long as it has its lease. What ends while a call is under way goes out with the next one; a claim takes
 * what is there along.
 */
export class Settler {
  readonly #store: Store;
  readonly #keys: QueueKeys;
  readonly #consumerId: string;
  readonly #onLost: () => void;
  readonly #onEnded: (fences: readonly number[]) => void;
  #batch = new SettleBatch();
  /** Of the batch that gathers. */
  #patience: Timer | undefined;
  #underWay: Promise<void> | undefined;
  #soon: NodeJS.Immediate | undefined;
  /** What the store says of the batch that is under way. */
  #refusal: BrokerError | undefined;

  constructor(store: Store, options: SettlerOptions) {
    this.#store = store;
    this.#keys = options.keys;
    this.#consumerId = options.consumerId;
    this.#onLost = options.onLost;
    this.#onEnded = options.onEnded;
  }

  settle(held: Held, outcome: Outcome): Promise<Settled> {
    if (outcome.kind !== "ack" || held.crashes > 0) return this.#end(this.#endingOf(held, outcome));
    const acked = this.#batch.ack(held);
    this.#schedule();
    return acked;
  }

  start({ fence, list }: Held): Promise<Settled> {
    return this.#end({ kind: "start", fence, list });
  }

  /** Sends what is there, without waiting for the end of the tick. */
  flush(): void {
    if (this.#underWay === undefined && this.#batch.size > 0) this.#send();
  }

  /** Resolves when nothing is under way. Never rejects. */
  async drained(): Promise<void> {
    this.flush();
    while (this.#underWay !== undefined) await this.#underWay;
  }

  #endingOf({ fence, list, text }: Held, outcome: Outcome): Ending {
    switch (outcome.kind) {
      case "ack":
      case "release":
        return { kind: outcome.kind, fence, list };
      case "requeue": {
        const { delayMs, headers } = outcome;
        const changes = { queue: this.#keys.queue, deliveryTag: this.#store.tags.next(), headers };
        const again = typeof text === "string" ? reencodeEnvelope(text, changes) : undefined;
        // What is no envelope goes back as it is stored.
        return { kind: "requeue", fence, list, delayMs, text: again ?? "" };
      }
      case "bury":
        return { kind: "bury", fence, list, reason: outcome.reason };
    }
  }

  #end(ending: Ending): Promise<Settled> {
    const answer = this.#batch.end(ending);
    this.#schedule();
    return answer;
  }

  #schedule(): void {
    this.#patience ??= this.#limit(this.#batch);
    if (this.#underWay !== undefined) return;
    if (this.#batch.size >= largestBatch) return this.#send();
    this.#soon ??= setImmediate(() => this.flush());
  }

  #send(): void {
    if (this.#soon !== undefined) clearImmediate(this.#soon);
    this.#soon = undefined;
    const [batch, patience] = [this.#batch, this.#patience];
    this.#batch = new SettleBatch();
    this.#patience = undefined;
    this.#underWay = this.#carryOut(batch).finally(() => {
      patience?.cancel();
      this.#underWay = undefined;
      this.flush();
    });
  }

  /** Nobody waits for longer than a lease. The batch is tried on: the lease may outlive an outage, and what is done would run again. */
  #limit(batch: SettleBatch): Timer {
    const { clock, settings } = this.#store;
    return clock.setTimer(settings.leaseMs, () => {
      const what = `Redis at ${settings.address} has not answered for ${settings.leaseMs} ms`;
      const silence = new ConnectionLost(`${what}: the outcome is not stored yet`, { sent: true });
      batch.reject(this.#refusal ?? silence);
    });
  }

  /** Never rejects: each settle's own promise tells how it went. What has no outcome stays held, or the next claim would take it for unheard of. */
  async #carryOut(batch: SettleBatch): Promise<void> {
    try {
      const answer = await this.#untilAnswered(batch);
      if (answer === undefined) this.#onLost();
      batch.resolve(answer);
      this.#onEnded(batch.fences);
      if (answer !== undefined) this.#tell(answer, batch.endings);
    } catch (error) {
      const parts = this.#store.connection.isClosed ? [] : batch.parts();
      // One of them may be refused for itself, as a dead letter where a key of another program lies: the others need not run again for it.
      if (parts.length < 2) return batch.reject(error);
      for (const part of parts) await this.#carryOut(part);
    }
  }

  /** A settle that is repeated after a lost answer finds its message gone. While the lease is there, only we can have ended it. */
  async #untilAnswered({ acks, endings }: SettleBatch): Promise<SettleAnswer | undefined> {
    const { connection, clock, settings } = this.#store;
    const batch = { consumerId: this.#consumerId, acks, endings, retention: settings.retention };
    let mayBeDone = false;
    this.#refusal = undefined;
    for (let attempt = 0; ; attempt += 1) {
      try {
        await connection.ready(clock.monotonic() + settings.timeoutMs);
        const answer = await settle(connection, this.#keys, batch);
        return mayBeDone && answer !== undefined ? { ...answer, endings: endings.map(() => "settled") } : answer;
      } catch (error) {
        const isLost = error instanceof ConnectionLost;
        const mayBeMended = isLost || (error instanceof BrokerError && mendable.has(error.code));
        if (!mayBeMended || connection.isClosed) throw error;
        if (isLost) mayBeDone ||= error.sent;
        this.#refusal = isLost ? undefined : error;
        await sleep(clock, isLost ? pauseMs : Math.min(pauseMs * 2 ** attempt, longestPauseMs));
      }
    }
  }

  #tell({ trimmed, dead }: SettleAnswer, endings: readonly Ending[]): void {
    const { logger, settings, delays } = this.#store;
    const { maxCount } = settings.retention;
    const { queue } = this.#keys;
    for (const ending of endings) if (ending.kind === "requeue") delays.announce(queue, ending.delayMs);
    if (trimmed > 0) logger.warn({ queue, trimmed, dead }, "dead letters were deleted for their age or number");
    else if (dead === Math.ceil(maxCount * 0.8))
      logger.warn(
        { queue, dead, most: maxCount },
        "the dead letters of this queue are near their limit; the oldest will be deleted",
      );
  }
}
