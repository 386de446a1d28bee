import type { OutgoingMessage } from "./broker/broker-message.ts";
import type { DeadReason, Delivery, Outcome, Settled } from "./broker/delivery.ts";
import type { Clock } from "./clock.ts";
import { storeWith, type Store } from "./middleware.ts";
import { QError } from "./q-error.ts";
import { UsedKeys } from "./used-keys.ts";

/** An eager task did not succeed. `Q4008`; `reason.error` is what its handler threw last, as data. */
export class EagerTaskFailed extends QError {
  readonly reason: DeadReason;

  constructor(reason: DeadReason) {
    super("Q4008", reason.message, { details: { reason: reason.code } });
    this.reason = reason;
  }
}

/** Hands a delivery to something that runs it and settles it. */
export type RunDelivery = (delivery: Delivery) => Promise<void>;

const neverLost = new AbortController().signal;

/** Runs what it is given to store. Keys are kept in this process's memory, and used when the run begins: one that fails is not repeated. */
export function eagerStore(clock: Clock, run: RunDelivery): Store {
  const usedKeys = new UsedKeys(clock);
  return storeWith(async (message, sendKey) => {
    if (sendKey !== null) {
      const { key, ttlMs } = sendKey;
      if (usedKeys.has(message.queue, key)) return "duplicate";
      usedKeys.add(message.queue, key, ttlMs);
    }
    await runEagerly(message, run);
    return "published";
  });
}

/**
 * Runs a message where it was sent, through the same steps as in a worker: decoded, validated, settled. Delays and the times between
 * retries are skipped.
 * @throws EagerTaskFailed when the message would be dead
 */
async function runEagerly(message: OutgoingMessage, run: RunDelivery): Promise<void> {
  let next: OutgoingMessage | undefined = message;
  while (next !== undefined) {
    const outcome: Outcome = await deliverOnce(next, run);
    if (outcome.kind === "bury") throw new EagerTaskFailed(outcome.reason);
    next = outcome.kind === "requeue" ? { ...next, headers: withoutEta(outcome.headers ?? next.headers) } : undefined;
  }
}

async function deliverOnce(message: OutgoingMessage, run: RunDelivery): Promise<Outcome> {
  let outcome: Outcome = { kind: "ack" };
  let isSettled = false;
  await run({
    message: { ...message, headers: withoutEta(message.headers) },
    crashes: 0,
    lost: neverLost,
    start: () => Promise.resolve("settled"),
    settle(settledAs): Promise<Settled> {
      if (isSettled) return Promise.resolve("lost");
      isSettled = true;
      outcome = settledAs;
      return Promise.resolve("settled");
    },
  });
  return outcome;
}

/** Nothing waits here: without its time, the message runs now. */
function withoutEta(headers: OutgoingMessage["headers"]): OutgoingMessage["headers"] {
  const { eta: _eta, ...rest } = headers;
  return rest;
}
