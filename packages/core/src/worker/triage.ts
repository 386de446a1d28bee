import type { BrokerMessage } from "../broker/broker-message.ts";
import type { DeadReason, Delivery, Outcome } from "../broker/delivery.ts";
import type { DecodeLimits } from "../celery-body.ts";
import { decodeMessage } from "../celery-codec.ts";
import { heldHeaders, parkHeaders, parkedAtMs, wasHeld } from "../celery-headers.ts";
import { DecodeError } from "../decode-error.ts";
import { formatMs } from "../duration.ts";
import type { Message } from "../message.ts";
import type { Task } from "../task.ts";
import type { TaskEvent, TaskFacts } from "./worker-event.ts";

export interface TriageRules {
  /** Name of the worker, for the dead letters. */
  readonly worker: string;
  readonly tasks: ReadonlyMap<string, Task<never>>;
  readonly limits: DecodeLimits;
  readonly maxCrashes: number;
  readonly parkForMs: number;
}

/** What is to be done with a delivery: run it, or settle it without. */
export type Triage =
  | { readonly kind: "run"; readonly task: Task<never>; readonly message: Message }
  | { readonly kind: "settle"; readonly outcome: Outcome; readonly event: TaskEvent };

const shortestParkMs = 1000;
const longestParkMs = 300_000;

/**
 * Looks at a delivery before it gets a slot. What nobody can read is dead, with its bytes; what killed too many workers is dead as poison;
 * what came too late is dropped; what came too early waits, once; what nobody here knows is parked.
 */
export function triage(delivery: Delivery, rules: TriageRules, nowMs: number): Triage {
  const { message: stored, crashes } = delivery;
  const { worker } = rules;
  if ("malformed" in stored) {
    const facts = { id: "", task: "", queue: stored.queue, retries: 0, crashes };
    return bury(facts, { code: "malformed", message: stored.malformed, worker });
  }
  let message: Message;
  try {
    message = decodeMessage(stored, rules.limits);
  } catch (error) {
    const reason =
      error instanceof DecodeError ? error.reason : { code: "malformed", message: "it could not be decoded" };
    return bury({ id: stored.id, task: "", queue: stored.queue, retries: 0, crashes }, { ...reason, worker });
  }
  if (crashes >= rules.maxCrashes) {
    const why = `${crashes} workers died while they ran it`;
    return bury(factsOf(message, crashes), { code: "poison", message: why, worker });
  }
  if (message.expiresMs !== null && message.expiresMs <= nowMs) {
    // A failure is not dropped.
    if (message.retries > 0) {
      const why = `it expired before it could be run again, after it had failed; retry ${message.retries}`;
      return bury(factsOf(message, crashes), { code: "expired", message: why, worker });
    }
    return { kind: "settle", outcome: { kind: "ack" }, event: { ...factsOf(message, crashes), type: "task.expired" } };
  }
  const { etaMs, sentAtMs } = message;
  if (etaMs !== null && etaMs > nowMs && !wasHeld({ etaMs, sentAtMs })) {
    const delayMs = etaMs - nowMs;
    return {
      kind: "settle",
      outcome: { kind: "requeue", delayMs, headers: heldHeaders(stored.headers, etaMs) },
      event: { ...factsOf(message, crashes), type: "task.postponed", delayMs },
    };
  }
  const task = rules.tasks.get(message.task);
  return task === undefined ? park(stored, factsOf(message, crashes), rules, nowMs) : { kind: "run", task, message };
}

function factsOf({ id, task, queue, retries }: Message, crashes: number): TaskFacts {
  return { id, task, queue, retries, crashes };
}

/** Puts it back for a worker that knows the task. Each wait is as long as all before it together, so the load stays small. */
function park(stored: BrokerMessage, facts: TaskFacts, { parkForMs, worker }: TriageRules, nowMs: number): Triage {
  // A time to come is of a clock that was wrong: from here on this one counts, or it would be parked until then.
  const since = Math.min(parkedAtMs(stored.headers) ?? nowMs, nowMs);
  const parkedMs = nowMs - since;
  if (parkedMs >= parkForMs) {
    return bury(facts, {
      code: "unknown-task",
      message: `no worker knew the task "${facts.task}" in ${formatMs(parkedMs)}`,
      worker,
    });
  }
  const delayMs = Math.min(Math.max(parkedMs, shortestParkMs), longestParkMs, parkForMs - parkedMs);
  return {
    kind: "settle",
    outcome: { kind: "requeue", delayMs, headers: parkHeaders(stored.headers, since) },
    event: { ...facts, type: "task.parked", delayMs },
  };
}

function bury(facts: TaskFacts, reason: DeadReason): Triage {
  return {
    kind: "settle",
    outcome: { kind: "bury", reason },
    event: { ...facts, type: "task.dead", ms: null, reason },
  };
}
