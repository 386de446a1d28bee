import { createHash, randomUUID } from "node:crypto";
import {
  BrokerError,
  PublishFailed,
  PublishRejected,
  PublishUnknown,
  sleep,
  type OncePublisher,
  type OutgoingMessage,
} from "@q/core/broker";
import { encodeEnvelope } from "./envelope.ts";
import { ConnectionLost } from "./redis-error.ts";
import { publish, type Push } from "./scripts/publish.ts";
import { publishOnce } from "./scripts/publish-once.ts";
import type { Store } from "./store.ts";

/** Messages of one script call: a larger batch would keep Redis from everything else for too long. */
const batchSize = 1000;
const longestIdBytes = 255;

/** The batches of one queue. Redis knows a repeated one by its number, so there is one under way at a time. */
interface Lane {
  sequence: number;
  turn: Promise<void>;
}

/** A message that is stored, and whether it says itself when it may run, in a way that Celery understands. */
interface Dated extends Push {
  readonly hasEta: boolean;
}

/** Stores messages. */
export class Publisher implements OncePublisher {
  readonly #store: Store;
  readonly #producerId: string = randomUUID();
  readonly #lanes = new Map<string, Lane>();

  constructor(store: Store) {
    this.#store = store;
  }

  async publish(messages: readonly OutgoingMessage[]): Promise<void> {
    // All of them, before the first is stored: a message that cannot be stored then rejects the call as a whole.
    const batches = this.#batches(messages);
    const results = await Promise.allSettled(batches.map(({ queue, pushes }) => this.#inTurn(queue, pushes)));
    const failures = new Map<number, PublishRejected | PublishUnknown>();
    results.forEach((result, index) => {
      if (result.status === "fulfilled") return;
      const error = publishError(result.reason);
      for (const position of batches[index]?.positions ?? []) failures.set(position, error);
    });
    const [first] = failures.values();
    if (first === undefined) return;
    throw failures.size === messages.length ? first : new PublishFailed(failures);
  }

  async publishOnce(message: OutgoingMessage, key: string, ttlMs: number): Promise<"published" | "duplicate"> {
    const push = this.#push(message);
    const keyHash = createHash("sha1").update(key).digest("hex");
    // Tells an own earlier attempt, whose answer was lost, from somebody else's.
    const attempt = randomUUID();
    const { publishing, queues, settings, delays } = this.#store;
    const once = { keyHash, ttlMs, attempt, replicas: settings.replicas };
    try {
      const stored = await this.#untilAnswered(async () => {
        const [placed = push] = await this.#placed(message.queue, [push]);
        return await publishOnce(publishing, queues.keysOf(message.queue), { ...once, push: placed });
      });
      if (stored === "published") delays.announce(message.queue, push.delayMs);
      return stored;
    } catch (error) {
      throw publishError(error);
    }
  }

  #batches(messages: readonly OutgoingMessage[]): { queue: string; pushes: Dated[]; positions: number[] }[] {
    const batches: { queue: string; pushes: Dated[]; positions: number[] }[] = [];
    const open = new Map<string, (typeof batches)[number]>();
    messages.forEach((message, position) => {
      let batch = open.get(message.queue);
      if (batch === undefined || batch.pushes.length === batchSize) {
        batch = { queue: message.queue, pushes: [], positions: [] };
        open.set(message.queue, batch);
        batches.push(batch);
      }
      batch.pushes.push(this.#push(message));
      batch.positions.push(position);
    });
    return batches;
  }

  /** @throws PublishRejected `Q1101` when the store cannot hold it so that it comes back unchanged */
  #push(message: OutgoingMessage): Dated {
    const { id, queue, priority, delayMs = 0 } = message;
    if (id === "" || Buffer.byteLength(id) > longestIdBytes)
      throw unfit(`a message id of 1 to ${longestIdBytes} bytes`, id.slice(0, 300));
    if (!Number.isInteger(priority) || priority < 0 || priority > 9) throw unfit("a priority from 0 to 9", priority);
    if (!Number.isFinite(delayMs) || delayMs < 0) throw unfit("delayMs of at least 0", delayMs);
    const { queues, tags } = this.#store;
    const envelope = encodeEnvelope(message, {
      deliveryTag: tags.next(),
      priorities: queues.hasPriorities(queue),
    });
    return { ...envelope, delayMs, hasEta: typeof message.headers["eta"] === "string" };
  }

  #inTurn(queue: string, pushes: readonly Dated[]): Promise<void> {
    const lane = this.#lanes.get(queue) ?? { sequence: 0, turn: Promise.resolve() };
    this.#lanes.set(queue, lane);
    const result = lane.turn.then(() => {
      lane.sequence += 1;
      return this.#storeBatch(queue, { sequence: lane.sequence, pushes });
    });
    // The next one does not care how this one ended.
    lane.turn = result.catch(() => undefined);
    return result;
  }

  async #storeBatch(
    queue: string,
    numbered: { readonly sequence: number; readonly pushes: readonly Dated[] },
  ): Promise<void> {
    const { publishing, queues, settings, delays } = this.#store;
    const batch = { producerId: this.#producerId, replicas: settings.replicas, sequence: numbered.sequence };
    await this.#untilAnswered(async () => {
      const pushes = await this.#placed(queue, numbered.pushes);
      await publish(publishing, queues.keysOf(queue), { ...batch, pushes });
    });
    for (const { delayMs } of numbered.pushes) delays.announce(queue, delayMs);
  }

  /**
   * Only our consumers make delayed messages ready. While none has ever been at a queue, it is Celery's: its workers look into the lists alone, and
   * keep what has an eta until then. Should one of ours come after all, core puts back what comes too early.
   */
  async #placed(queue: string, pushes: readonly Dated[]): Promise<readonly Push[]> {
    if (!pushes.some(({ delayMs, hasEta }) => hasEta && delayMs > 0)) return pushes;
    const { publishing, queues } = this.#store;
    const { meta, lease } = queues.keysOf(queue);
    const isOurs =
      (await publishing.call("zcard", lease)) !== 0 || (await publishing.call("hget", meta, "tag")) !== null;
    return isOurs ? pushes : pushes.map((push) => (push.hasEta ? { ...push, delayMs: 0 } : push));
  }

  /** Again, under the same number, until there is an answer or the time is over. */
  async #untilAnswered<T>(attempt: () => Promise<T>): Promise<T> {
    const { publishing, clock, settings } = this.#store;
    const until = clock.monotonic() + settings.timeoutMs;
    let mayBeStored: ConnectionLost | undefined;
    for (;;) {
      try {
        await publishing.ready(until);
        return await attempt();
      } catch (error) {
        if (!(error instanceof ConnectionLost)) {
          // An earlier attempt may have been carried out, whatever this one was told.
          if (mayBeStored === undefined) throw error;
          throw unknown(mayBeStored);
        }
        if (error.sent) mayBeStored = error;
        if (clock.monotonic() >= until || publishing.isClosed)
          throw mayBeStored === undefined ? error : unknown(mayBeStored);
        await sleep(clock, 20);
      }
    }
  }
}

function unfit(expected: string, got: unknown): PublishRejected {
  return new PublishRejected("Q1101", `expected ${expected}, got ${JSON.stringify(got)}`);
}

function unknown(cause: ConnectionLost): PublishUnknown {
  return new PublishUnknown("Q1102", `${cause.message}: the message may be stored`, { hint: cause.hint, cause });
}

/** The same error as an answer to `publish`. */
function publishError(error: unknown): PublishRejected | PublishUnknown {
  if (error instanceof PublishRejected || error instanceof PublishUnknown) return error;
  const { code, message, hint } = error instanceof BrokerError ? error : new BrokerError("Q1101", String(error));
  return new PublishRejected(code, message, { hint, cause: error });
}
