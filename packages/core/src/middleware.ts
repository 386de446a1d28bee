import type { OutgoingMessage } from "./broker/broker-message.ts";
import type { Publication } from "./broker/once.ts";
import type { JsonObject } from "./json.ts";
import type { PendingSend } from "./producer.ts";
import { ConfigError } from "./q-error.ts";
import type { SendKey } from "./send-key.ts";
import type { TaskContext } from "./task-context.ts";

/** A task call that is about to be sent. */
export interface SendContext {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  /** Headers of the sender; middleware may add to them. */
  readonly headers: JsonObject;
}

/** Wraps the sends and runs of an app's tasks: tracing, metrics, error reports. The first one in the list is the outermost. */
export interface Middleware {
  /** Shown when it fails. */
  readonly name: string;
  /** Headers to add to a message, such as a trace context. Keys of the protocol cannot be changed. */
  readonly headers?: (context: SendContext) => JsonObject;
  /** Around storing one message. Must call `next` once and wait for it, or throw, which reaches the sender; all else is `Q2023`. */
  readonly send?: (context: SendContext, next: () => Promise<void>) => Promise<void>;
  /** Around one run of a handler, inside its context. As `send`; what it throws goes through the retry policy. */
  readonly run?: (context: TaskContext, next: () => Promise<unknown>) => Promise<unknown>;
}

/** Runs a handler. */
export type Runner = (context: TaskContext, handler: () => unknown) => unknown;

/** All `run` parts as one function. Without any, the handler is called directly. */
export function composeRun(middleware: readonly Middleware[]): Runner {
  let runner: Runner = (_context, handler) => handler();
  for (const { name, run } of middleware.toReversed()) {
    if (run === undefined) continue;
    const inner = runner;
    runner = async (context, handler) => {
      const runs: Promise<unknown>[] = [];
      const begin = (): Promise<unknown> => {
        const running = (async () => await inner(context, handler))();
        runs.push(running);
        return running;
      };
      try {
        return await around(name, begin, (next) => run(context, next));
      } finally {
        // Who gives up first, as in a race with a timer, does not end the handler. Its slot is free, and the next one may begin, when it has ended.
        await Promise.allSettled(runs);
      }
    };
  }
  return runner;
}

/** Stores one message; with a key, at most one of that key. */
export type Store = (pending: PendingSend) => void;

/** A store made of what answers with a promise. */
export function storeWith(store: (message: OutgoingMessage, key: SendKey | null) => Promise<Publication>): Store {
  return (pending) => {
    store(pending.message, pending.key).then(
      (publication) => pending.stored(publication),
      (error: unknown) => pending.failed(error),
    );
  };
}

/** A store that knows whose message it is. */
export type ContextStore = (context: SendContext, unstored: Unstored) => Promise<Publication>;

/** What is to be stored, whoever is told of it. */
type Unstored = Pick<PendingSend, "message" | "key" | "bytes">;

/** All `send` parts around `store`; `undefined` when there are none, and nobody has to wait for a message of its own. */
export function composeSend(middleware: readonly Middleware[], store: Store): ContextStore | undefined {
  let composed: ContextStore | undefined;
  for (const { name, send } of middleware.toReversed()) {
    if (send === undefined) continue;
    const inner: ContextStore = composed ?? ((_context, unstored) => storing(store, unstored));
    composed = async (context, unstored) => {
      const told: { publication?: Publication; error?: unknown } = {};
      const tell = async (): Promise<void> => {
        try {
          told.publication = await inner(context, unstored);
        } catch (error) {
          told.error = error;
          throw error;
        }
      };
      await around(name, tell, (next) => send(context, next));
      if (told.publication === undefined) throw misuse(name, "kept an error of next to itself", told.error);
      return told.publication;
    };
  }
  return composed;
}

function storing(store: Store, { message, key, bytes }: Unstored): Promise<Publication> {
  return new Promise((resolve, reject) => {
    store({ message, key, bytes, stored: resolve, failed: reject });
  });
}

/**
 * One middleware around what is inside of it. A `next` that is forgotten would lose the message in silence, one that is called again would run
 * or store it twice.
 * @throws ConfigError `Q2023` when `next` was not called once and waited for
 */
async function around<T>(
  name: string,
  inner: () => Promise<T>,
  call: (next: () => Promise<T>) => Promise<T>,
): Promise<T> {
  let passedOn: Promise<T> | undefined;
  let hasEnded = false;
  const next = (): Promise<T> => {
    if (passedOn !== undefined) throw misuse(name, "called next twice");
    passedOn = inner().finally(() => (hasEnded = true));
    // Who calls next looks at this one. If nobody does, that is told below.
    passedOn.catch(() => {});
    return passedOn;
  };
  const result = await call(next);
  if (passedOn === undefined) throw misuse(name, "did not call next");
  if (hasEnded) return result;
  await Promise.allSettled([passedOn]);
  throw misuse(name, "did not wait for next");
}

function misuse(name: string, what: string, cause?: unknown): ConfigError {
  return new ConfigError("Q2023", `middleware "${name}" ${what}`, {
    cause,
    hint: "return await next() once; to skip a run, throw new Ignore()",
  });
}
