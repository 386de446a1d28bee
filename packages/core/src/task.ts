import type { StandardSchemaV1 } from "@standard-schema/spec";
import { formatLocation, type SourceLocation } from "./call-site.ts";
import { quoted } from "./decode-error.ts";
import { durationMs, limitMs, type Duration } from "./duration.ts";
import { assertKind, refuseUnknownOptions, wholeNumber, wrongKind } from "./known-options.ts";
import { ConfigError } from "./q-error.ts";
import { isRetryPolicy, type RetryPolicy } from "./retry-policy.ts";
import type { Sent, SendOptions, Signature } from "./signature.ts";
import type { TaskContext } from "./task-context.ts";
import { readTimeLimits } from "./time-limit-options.ts";

export interface TaskOptions<Queue extends string = string> {
  /** What messages call it, on every queue and in every language. Declared, never derived: moving the file must not change it. */
  readonly name: string;
  /** One of the app's queues. Default: the app's first. */
  readonly queue?: Queue;
  /** Retries before the message is dead. Default 3. Needs `retry`, or a handler that throws `ctx.retry()`. */
  readonly maxRetries?: number;
  /** Time until a retry; the first one, when the policy has a backoff. Default `"3m"`, as Celery's. */
  readonly defaultRetryDelay?: Duration;
  /** Which errors are retried. Default: none; the first error makes the message dead. */
  readonly retry?: RetryPolicy;
  /** Standard Schema (zod, valibot, arktype) of the arguments: checked when sending and again when running. Let it pass unknown fields: a newer sender may add some. */
  readonly args?: StandardSchemaV1;
  /** Names for positional arguments, in order, for callers that send them so: Python's `delay(7)`. */
  readonly positional?: readonly string[];
  /** Aborts `ctx.signal`; shorter than `timeLimit`. Default none. */
  readonly softTimeLimit?: Duration;
  /** Gives the attempt up. Default none. */
  readonly timeLimit?: Duration;
  /** Messages that are not started by then are dropped, counted and reported; those that wait for a retry are dead. Default never. */
  readonly expires?: Duration;
  /** Largest body that is sent, in bytes, with the sender's headers. Default: the app's. */
  readonly maxMessageSize?: number;
  /** `at-most-once` acknowledges before it runs: a crash loses the message, nothing runs twice, nothing is retried. Default `at-least-once`. */
  readonly delivery?: "at-least-once" | "at-most-once";
  /** 0 to 9, higher first, on queues with priorities. Default 0. */
  readonly priority?: number;
}

/** `In` is what a sender passes, `Out` what the handler gets: they differ when a schema transforms. */
export type Handler<Out> = (args: Out, context: TaskContext) => unknown;

/** What a task asks of its app. */
export interface SignatureSender {
  send(signature: Signature): Promise<Sent>;
}

const known = [
  "name",
  "queue",
  "maxRetries",
  "defaultRetryDelay",
  "retry",
  "args",
  "positional",
  "softTimeLimit",
  "timeLimit",
  "expires",
  "maxMessageSize",
  "delivery",
  "priority",
] satisfies (keyof TaskOptions)[];

/** A missing argument is allowed where an empty object would be. */
type Arguments<In> = object extends In ? [args?: In] : [args: In];

/** A declared task: a value bound to its app, made by `app.instrumentedTask`. */
export class Task<In = object> {
  readonly name: string;
  readonly queue: string;
  readonly maxRetries: number;
  readonly defaultRetryDelayMs: number;
  readonly retryPolicy: RetryPolicy | undefined;
  readonly schema: StandardSchemaV1 | undefined;
  readonly positional: readonly string[] | undefined;
  readonly softTimeLimitMs: number | null;
  readonly timeLimitMs: number | null;
  readonly expiresMs: number | null;
  readonly maxMessageSize: number | undefined;
  readonly isAtMostOnce: boolean;
  readonly priority: number;
  /** Where it was declared, for error messages. */
  readonly definedAt: SourceLocation | undefined;
  readonly handler: Handler<never>;
  readonly #sender: SignatureSender;

  /** Use `app.instrumentedTask`. */
  constructor(
    sender: SignatureSender,
    options: TaskOptions & { readonly queue: string },
    handler: Handler<never>,
    definedAt: SourceLocation | undefined,
  ) {
    checkName(options.name, definedAt);
    const where = `task "${options.name}"`;
    refuseUnknownOptions(where, options, known);
    this.#sender = sender;
    this.name = options.name;
    this.queue = options.queue;
    this.maxRetries = wholeNumber(`maxRetries of ${where}`, options.maxRetries ?? 3, { from: 0 });
    this.defaultRetryDelayMs = durationMs(options.defaultRetryDelay ?? "3m", `defaultRetryDelay of ${where}`);
    this.retryPolicy = options.retry;
    this.schema = options.args;
    this.positional = options.positional;
    const { softTimeLimitMs, timeLimitMs } = readTimeLimits(options, ` of ${where}`);
    this.softTimeLimitMs = softTimeLimitMs;
    this.timeLimitMs = timeLimitMs;
    this.expiresMs = limitMs(options.expires, `expires of ${where}`);
    this.maxMessageSize =
      options.maxMessageSize === undefined
        ? undefined
        : wholeNumber(`maxMessageSize of ${where}`, options.maxMessageSize, { from: 64 });
    this.isAtMostOnce = options.delivery === "at-most-once";
    this.priority = wholeNumber(`priority of ${where}`, options.priority ?? 0, { from: 0, to: 9 });
    this.definedAt = definedAt;
    this.handler = handler;
    checkShapes(where, options, handler);
    if (this.isAtMostOnce && (options.retry !== undefined || options.maxRetries !== undefined)) {
      throw new ConfigError(
        "Q2016",
        `${where} is at-most-once and has a retry policy: its message is gone before it runs`,
        {
          hint: 'delete retry and maxRetries, or delete delivery: "at-most-once"',
        },
      );
    }
  }

  /**
   * Sends it, to be run by a worker as soon as one is free.
   * @throws ArgumentsError `Q3001` to `Q3003`, nothing was sent; PublishRejected, PublishUnknown, BrokerError
   */
  delay(...args: Arguments<In>): Promise<Sent> {
    return this.#sender.send({ task: this.name, args: args[0] ?? {}, options: {} });
  }

  /**
   * Sends it with options: when, where, how urgent, once per key.
   * @throws as `delay`; ConfigError `Q2003`, `Q2010` to `Q2012`, `Q2017` for bad options, `Q2025` for a key that the broker cannot use
   */
  applyAsync(args: In, options: SendOptions = {}): Promise<Sent> {
    return this.#sender.send(this.signature(args, options));
  }

  /** The call as a value, for `app.sendMany`. */
  signature(args: In, options: SendOptions = {}): Signature {
    return { task: this.name, args: args ?? {}, options };
  }
}

/** What the types rule out, for callers without types. */
function checkShapes(where: string, options: TaskOptions, handler: unknown): void {
  const { retry, delivery, args, positional } = options;
  if (typeof handler !== "function") {
    throw new ConfigError("Q2024", `${where} has no handler: expected a function, got ${typeof handler}`, {
      hint: "an import that is undefined here usually means two files import each other",
    });
  }
  if (isGenerator(handler))
    throw new ConfigError("Q2024", `${where} has a generator for a handler, whose code nobody would run`, {
      hint: "make it an async function: async (args) => { … }",
    });
  assertKind(`positional of ${where}`, positional, "an array of strings", 'positional: ["userId"]');
  const twice = positional?.find((name, index) => positional.indexOf(name) !== index);
  if (twice !== undefined)
    throw new ConfigError(
      "Q2030",
      `positional of ${where} has ${quoted(twice)} twice: one of the two arguments would be lost`,
    );
  // A schema may be a function, as arktype's are.
  if (args !== undefined && typeof args?.["~standard"]?.validate !== "function")
    throw wrongKind(
      `args of ${where}`,
      args,
      "a Standard Schema",
      "args: z.object({ … }), or a schema of valibot or arktype",
    );
  if (retry !== undefined && !isRetryPolicy(retry)) {
    throw new ConfigError("Q2013", `retry of ${where} is not a retry policy`, { hint: "retry: retry({ on: […] })" });
  }
  if (delivery !== undefined && delivery !== "at-least-once" && delivery !== "at-most-once") {
    throw new ConfigError("Q2016", `expected delivery of ${where} to be "at-least-once" or "at-most-once"`);
  }
}

/** Calling one runs nothing, and would count as success. By name: it may come from another realm, as a test runner's. */
function isGenerator(handler: object): boolean {
  return Object.prototype.toString.call(handler).endsWith("GeneratorFunction]");
}

function checkName(name: unknown, definedAt: SourceLocation | undefined): void {
  if (isTaskName(name)) return;
  const has = name === undefined ? "no name" : `the name ${quoted(name)}`;
  throw new ConfigError("Q2005", `the task at ${formatLocation(definedAt)} has ${has}`, {
    hint: 'give it one of 1 to 255 bytes: name: "events.save_event". Functions are not used for names: minifiers change them',
  });
}

/** Bytes and not characters: that is what a header can hold, and what every reader of a message checks. */
export function isTaskName(name: unknown): name is string {
  return typeof name === "string" && name.length > 0 && name.length <= 255 && Buffer.byteLength(name) <= 255;
}
