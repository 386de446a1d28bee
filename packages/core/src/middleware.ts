import type { OutgoingMessage } from "./broker/broker-message.ts";
import type { JsonObject } from "./json.ts";
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
  /** Around storing one message. Must call `next` once; what it throws reaches the sender. */
  readonly send?: (context: SendContext, next: () => Promise<void>) => Promise<void>;
  /** Around one run of a handler, inside its context. Must call `next` once; what it throws goes through the retry policy. */
  readonly run?: (context: TaskContext, next: () => Promise<unknown>) => Promise<unknown>;
}

/** Runs a handler. */
export type Runner = (context: TaskContext, handler: () => unknown) => unknown;

/** All `run` parts as one function. Without any, the handler is called directly. */
export function composeRun(middleware: readonly Middleware[]): Runner {
  let runner: Runner = (_context, handler) => handler();
  for (const { run } of middleware.toReversed()) {
    if (run === undefined) continue;
    const inner = runner;
    runner = (context, handler) => run(context, async () => await inner(context, handler));
  }
  return runner;
}

export type Sender = (context: SendContext, message: OutgoingMessage) => Promise<void>;

/** All `send` parts around `store`. */
export function composeSend(
  middleware: readonly Middleware[],
  store: (message: OutgoingMessage) => Promise<void>,
): Sender {
  let sender: Sender = (_context, message) => store(message);
  for (const { send } of middleware.toReversed()) {
    if (send === undefined) continue;
    const inner = sender;
    sender = (context, message) => send(context, () => inner(context, message));
  }
  return sender;
}
