import { createHash } from "node:crypto";
import type { Held } from "../../src/scripts/claim.ts";
import type { Push } from "../../src/scripts/publish.ts";
import { emptyState, type QueueState } from "./queue-state.ts";

/** A time of the server, as exactly as is known: what a script does lies between two looks at the clock. */
type Span = readonly [earliest: number, latest: number];

/** Somebody who consumes, or did. */
export interface Client {
  readonly id: string;
  /** What it believes to hold, by fence. */
  readonly known: Map<number, Held>;
}

/** What a producer sends at once, under its number. */
export interface Batch {
  readonly producer: string;
  readonly sequence: number;
  readonly pushes: readonly Push[];
}

/** What is sent at most once per key. */
export interface Once {
  readonly key: string;
  readonly attempt: string;
  readonly ttlMs: number;
  readonly push: Push;
}

/** What ends by itself. */
const endKinds = ["producer", "once", "crashes"];

/** What a queue must look like, and who deals with it. The transitions stand in `producing`, `consuming`, `recovering` and `operating`. */
export class QueueModel {
  readonly state: QueueState = emptyState();
  /** As in a `Census`. */
  readonly times: Map<string, Span> = new Map();
  /** How many of its lists are in use. */
  readonly lists: number;
  /** The latest last. */
  readonly clients: Client[] = [];
  /** The last one of each producer. */
  readonly batches: Map<string, Batch> = new Map();
  /** The last one of each key. */
  readonly onces: Map<string, Once> = new Map();
  /** How many messages were given a name. */
  named = 0;
  /** Whether Redis takes nothing more in. */
  isFull = false;
  /** Server time before and after the step under way. */
  since = 0;
  now = 0;
  /** How often each message was taken in and not yet finished. */
  readonly #unfinished = new Map<string, number>();

  constructor(lists: number) {
    this.lists = lists;
  }

  accept(text: string): void {
    this.#unfinished.set(idOf(text), (this.#unfinished.get(idOf(text)) ?? 0) + 1);
  }

  finish(text: string): void {
    this.#unfinished.set(idOf(text), (this.#unfinished.get(idOf(text)) ?? 0) - 1);
  }

  /** Ids of what was taken in and is not finished, each as often as there are copies. */
  get unfinished(): string[] {
    return [...this.#unfinished].flatMap(([id, copies]) => Array.from({ length: copies }, () => id)).toSorted();
  }

  /** So many milliseconds from now. */
  setTime(key: string, ms: number): void {
    this.times.set(key, [this.since + ms, this.now + ms]);
  }

  timeOf(key: string): number | undefined {
    return this.times.get(key)?.[0];
  }

  isPast(key: string): boolean {
    return (this.timeOf(key) ?? Infinity) <= this.now;
  }

  /** Who has a time of this kind, the earliest first. */
  inTurn(kind: string): string[] {
    const found = [...this.times].filter(([key]) => key.startsWith(`${kind} `));
    const inTurn = found.toSorted(
      ([key, one], [otherKey, other]) => one[0] - other[0] || one[1] - other[1] || (key < otherKey ? -1 : 1),
    );
    return inTurn.map(([key]) => key.slice(kind.length + 1));
  }

  hasLease(id: string): boolean {
    return this.times.has(`lease ${id}`);
  }

  /** The clock is looked at after a step: what ends by itself has ended by then. */
  look(now: number): void {
    this.since = this.now;
    this.now = now;
    for (const key of this.times.keys()) {
      const [kind = "", id = ""] = key.split(" ");
      if (!endKinds.includes(kind) || !this.isPast(key)) continue;
      this.times.delete(key);
      if (kind === "producer") this.state.producers.delete(id);
      else if (kind === "once") this.state.once.delete(id);
      else this.state.crashes.clear();
    }
  }
}

/** The same through every retry. */
export function idOf(text: string): string {
  return /^m\d+/.exec(text)?.[0] ?? text;
}

/** A text as the bytes that it is stored as, one character for each. */
export function bytesOf(text: string): string {
  return Buffer.from(text).toString("latin1");
}

/** What the client makes of stored bytes. */
export function textOf(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString();
}

/** The name under which crashes of a message are counted. */
export function hashOf(bytes: string): string {
  return createHash("sha1").update(bytes, "latin1").digest("hex");
}
