import { PublishRejected, type OutgoingMessage } from "@q/core/broker";
import { encodeEnvelope } from "./envelope.ts";
import type { Push } from "./scripts/publish.ts";
import type { Store } from "./store.ts";

const longestIdBytes = 255;

/** A message that is stored, and whether it says itself when it may run, in a way that Celery understands. */
export interface Dated extends Push {
  readonly hasEta: boolean;
}

/** @throws PublishRejected `Q1101` when the store cannot hold it so that it comes back unchanged */
export function readyToPush({ queues, tags }: Store, message: OutgoingMessage): Dated {
  const { id, queue, priority, delayMs = 0 } = message;
  if (id === "" || Buffer.byteLength(id) > longestIdBytes)
    throw unfit(`a message id of 1 to ${longestIdBytes} bytes`, id.slice(0, 300));
  if (!Number.isInteger(priority) || priority < 0 || priority > 9) throw unfit("a priority from 0 to 9", priority);
  if (!Number.isFinite(delayMs) || delayMs < 0) throw unfit("delayMs of at least 0", delayMs);
  const envelope = encodeEnvelope(message, {
    deliveryTag: tags.next(),
    priorities: queues.hasPriorities(queue),
  });
  return { ...envelope, delayMs, hasEta: typeof message.headers["eta"] === "string" };
}

function unfit(expected: string, got: unknown): PublishRejected {
  return new PublishRejected("Q1101", `expected ${expected}, got ${JSON.stringify(got)}`);
}
