import {
  BrokerError,
  PublishRejected,
  PublishUnknown,
  QError,
  throwFailures,
  type OncePublisher,
  type OutgoingMessage,
} from "@q/core/broker";
import { insertMessages } from "./insert-messages.ts";
import { encodeMessage, type EncodedMessage } from "./stored-message.ts";
import type { Store } from "./store.ts";

/** Messages that are stored in one transaction; a larger batch would keep the lock, and the event loop, for too long. */
const batchSize = 1000;

/** A few at a time, so that no send pays for a whole night's. */
const forgetKeys = "DELETE FROM once WHERE rowid IN (SELECT rowid FROM once WHERE expires_at <= ? LIMIT 100)";
/** Changes nothing when the key is in use. */
const useKey = `INSERT INTO once (queue_id, key, expires_at) VALUES (?, ?, ?)
  ON CONFLICT (queue_id, key) DO UPDATE SET expires_at = excluded.expires_at WHERE expires_at <= ?`;

/** Stores messages. */
export class Publisher implements OncePublisher {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  async publish(messages: readonly OutgoingMessage[]): Promise<void> {
    // All of them, before the first is stored: a message that cannot be stored then rejects the call as a whole.
    const encoded = messages.map(encodeMessage);
    const batches: EncodedMessage[][] = [];
    for (let at = 0; at < encoded.length; at += batchSize) batches.push(encoded.slice(at, at + batchSize));
    const results = await Promise.allSettled(batches.map((batch) => this.#publishBatch(batch)));
    const failures = new Map<number, PublishRejected | PublishUnknown>();
    results.forEach((result, index) => {
      if (result.status === "fulfilled") return;
      const error = publishError(result.reason);
      batches[index]?.forEach((_, offset) => failures.set(index * batchSize + offset, error));
    });
    throwFailures(failures, messages.length);
  }

  async publishOnce(message: OutgoingMessage, key: string, ttlMs: number): Promise<"published" | "duplicate"> {
    const { connection, commits, queues, clock } = this.#store;
    const encoded = encodeMessage(message);
    // As bytes: SQLite would end a text at a NUL, and two keys could become one.
    const keyBytes = Buffer.from(key);
    try {
      return await commits.write(
        () => {
          const now = clock.now();
          const queueId = queues.findOrMake(encoded.queue).id;
          connection.run(forgetKeys, now);
          const isNew = connection.run(useKey, queueId, keyBytes, now + Math.ceil(ttlMs), now);
          if (isNew === 0) return "duplicate";
          insertMessages(this.#store, [encoded]);
          return "published";
        },
        { durable: true, adds: true, rings: true },
      );
    } catch (error) {
      throw publishError(error);
    }
  }

  #publishBatch(batch: readonly EncodedMessage[]): Promise<void> {
    return this.#store.commits.writeTogether(this.#insert, batch, {
      durable: true,
      adds: true,
      rings: true,
      weight: batch.length,
    });
  }

  readonly #insert = (batches: readonly (readonly EncodedMessage[])[]): undefined[] => {
    insertMessages(this.#store, batches.flat());
    return batches.map(() => undefined);
  };
}

/** The same error as an answer to `publish`. */
export function publishError(error: unknown): PublishRejected | PublishUnknown {
  if (error instanceof PublishRejected || error instanceof PublishUnknown) return error;
  const { code, message, hint } = error instanceof QError ? error : new BrokerError("Q1101", String(error));
  if (code === "Q1102") return new PublishUnknown(code, message, { hint, cause: error });
  return new PublishRejected(code, message, { hint, cause: error });
}
