import type { JsonObject } from "./json.ts";

/** A task call as plain immutable data, the same on every broker and in both languages. */
export interface Message {
  /** Unique per send, kept through every retry. Any text of 1 to 255 bytes, not only a UUID. */
  readonly id: string;
  /** Name of the task, as its worker knows it. */
  readonly task: string;
  readonly queue: string;
  /** 0 to 9, higher first. */
  readonly priority: number;
  /** Positional arguments. JSON, and from Python also NaN, BigInt, Date and Uint8Array. */
  readonly args: readonly unknown[];
  /** Named arguments; the same values. */
  readonly kwargs: Readonly<Record<string, unknown>>;
  /** Not to be run before. Epoch milliseconds; `null` is at once. */
  readonly etaMs: number | null;
  /** Not to be started after. Epoch milliseconds; `null` is never too late. */
  readonly expiresMs: number | null;
  /** How often it was retried: 0 at first. Crashes are not in it. */
  readonly retries: number;
  /** The sender's own limit of retries; `null` leaves it to the task. */
  readonly maxRetries: number | null;
  /** Hard limit of a run. Milliseconds; `null` leaves it to the task. */
  readonly timeLimitMs: number | null;
  readonly softTimeLimitMs: number | null;
  /** First task of the tree of calls; the message's own id when it is that. */
  readonly rootId: string;
  /** Task that sent this one, or the message's own id after a retry. */
  readonly parentId: string | null;
  readonly groupId: string | null;
  /**
   * What Celery's canvas does afterwards: `callbacks`, `errbacks`, `chain`, `chord`, each absent when there is none.
   * Carried, not understood: a worker warns of what it does not do.
   */
  readonly embed: JsonObject;
  /** What the sender attached, and every field that q does not know. */
  readonly headers: JsonObject;
  /** Where a Celery producer waits for results. */
  readonly replyTo: string | null;
  /** When it last became ready to run: sent, or its delay over. Epoch milliseconds; `null` for what q did not send. */
  readonly sentAtMs: number | null;
}

/** The fields of a call that says nothing special: `{ ...plainCall, id, rootId: id, task, queue, kwargs }`. */
export const plainCall: Omit<Message, "id" | "rootId" | "task" | "queue"> = {
  priority: 0,
  args: [],
  kwargs: {},
  etaMs: null,
  expiresMs: null,
  retries: 0,
  maxRetries: null,
  timeLimitMs: null,
  softTimeLimitMs: null,
  parentId: null,
  groupId: null,
  embed: {},
  headers: {},
  replyTo: null,
  sentAtMs: null,
};
