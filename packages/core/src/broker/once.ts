import type { OutgoingMessage } from "./broker-message.ts";

/** `duplicate`: the key was used before, and nothing was stored. */
export type Publication = "published" | "duplicate";

/** Publishing that happens at most once per key, however many processes try. */
export interface OncePublisher {
  /**
   * Stores the message unless `key` was used in the last `ttlMs` milliseconds. Marking the key and storing the message are one atomic step.
   * The key is a queue's own: the same key in two queues is two keys.
   * @throws PublishRejected or PublishUnknown as `Broker.publish`; repeating it with the same key is then safe
   */
  publishOnce(message: OutgoingMessage, key: string, ttlMs: number): Promise<Publication>;
}
