import { PublishRejected, readyAtHeader, type BrokerMessage, type OutgoingMessage } from "@q/core/broker";
import { encodeEnvelope, type Envelope } from "./envelope.ts";
import type { Push } from "./scripts/publish.ts";
import type { Store } from "./store.ts";

const longestIdBytes = 255;
/** No character takes more than three bytes for each of its units, so that most ids need not be counted. */
const surelyShort = longestIdBytes / 3;

/** What is stored of a message, and the message itself when it says when it may run, in a way that Celery understands. */
export interface Dated extends Push {
  readonly dated: OutgoingMessage | undefined;
}

/** @throws PublishRejected `Q1101` when the store cannot hold it so that it comes back unchanged */
export function readyToPush(store: Store, message: OutgoingMessage): Dated {
  const { id, priority, delayMs = 0 } = message;
  if (id === "" || (id.length > surelyShort && Buffer.byteLength(id) > longestIdBytes))
    throw unfit(`a message id of 1 to ${longestIdBytes} bytes`, id.slice(0, 300));
  if (!Number.isInteger(priority) || priority < 0 || priority > 9) throw unfit("a priority from 0 to 9", priority);
  if (!Number.isFinite(delayMs) || delayMs < 0) throw unfit("delayMs of at least 0", delayMs);
  const { text, list } = encode(store, message);
  const isDated = delayMs > 0 && typeof message.headers["eta"] === "string";
  return { text, list, delayMs, dated: isDated ? message : undefined };
}

/** The same push as one that is ready now, for whoever else keeps it until its time. */
export function pushedAtOnce(store: Store, message: OutgoingMessage): Push {
  const headers = { ...message.headers, [readyAtHeader]: store.clock.now() };
  return { ...encode(store, { ...message, headers }), delayMs: 0 };
}

function encode({ queues, tags }: Store, message: BrokerMessage): Envelope {
  return encodeEnvelope(message, { deliveryTag: tags.next(), priorities: queues.hasPriorities(message.queue) });
}

function unfit(expected: string, got: unknown): PublishRejected {
  return new PublishRejected("Q1101", `expected ${expected}, got ${JSON.stringify(got)}`);
}
