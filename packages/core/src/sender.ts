import { randomUUID } from "node:crypto";
import type { AppSettings } from "./app-options.ts";
import { ArgumentsError, assertJson, assertSize, namedArguments, validateArguments } from "./arguments.ts";
import { bodySize, type BrokerMessage, type OutgoingMessage } from "./broker/broker-message.ts";
import type { Publication } from "./broker/once.ts";
import { encodeMessage } from "./celery-codec.ts";
import { isProtocolHeader, userHeadersSize } from "./celery-headers.ts";
import { quoted } from "./decode-error.ts";
import { isJsonObject, type JsonObject } from "./json.ts";
import { assertKind, describeKind, shortText } from "./known-options.ts";
import { plainCall, type Message } from "./message.ts";
import { composeSend, type ContextStore, type SendContext, type Store } from "./middleware.ts";
import type { PendingSend } from "./producer.ts";
import { ConfigError } from "./q-error.ts";
import { readSendKey, type SendKey } from "./send-key.ts";
import { readSendOptions, type Sent, type Signature } from "./signature.ts";
import { isTaskName, type Task } from "./task.ts";
import { currentTask } from "./task-context.ts";
import { assertDeclared } from "./worker/worker-options.ts";

/** Told once what became of a send. */
export interface SentReceiver {
  sent(sent: Sent): void;
  failed(error: unknown): void;
}

/** One message on its way, for a sender who wants to hear more than its store tells. */
class Sending implements PendingSend {
  readonly message: OutgoingMessage;
  readonly key: SendKey | null;
  readonly bytes: number;
  readonly #task: string;
  readonly #receiver: SentReceiver;

  constructor(task: string, { message, key, bytes }: Omit<PendingSend, "stored" | "failed">, receiver: SentReceiver) {
    this.message = message;
    this.key = key;
    this.bytes = bytes;
    this.#task = task;
    this.#receiver = receiver;
  }

  stored(publication: Publication): void {
    const { id, queue } = this.message;
    this.#receiver.sent({ id, task: this.#task, queue, duplicate: publication === "duplicate" });
  }

  failed(error: unknown): void {
    this.#receiver.failed(error);
  }
}

/** Turns a signature into a stored message: checks the arguments, fills in the task's settings, encodes, hands it on. */
export class Sender {
  readonly #settings: AppSettings;
  readonly #tasks: ReadonlyMap<string, Task<never>>;
  readonly #declared: readonly string[];
  readonly #store: Store;
  readonly #storeWithin: ContextStore | undefined;
  /** Sends that an asynchronous schema or middleware keeps. */
  #kept = 0;
  #onNoneKept: (() => void)[] = [];

  /** @param store stores one encoded message: the producer's `send`, or an eager run */
  constructor(settings: AppSettings, tasks: ReadonlyMap<string, Task<never>>, store: Store) {
    this.#settings = settings;
    this.#tasks = tasks;
    this.#declared = settings.queues.map(({ name }) => name);
    this.#store = store;
    this.#storeWithin = composeSend(settings.middleware, store);
  }

  /**
   * Everything up to the encoded message happens before this returns, unless the schema is asynchronous: what the caller changes
   * in its arguments afterwards is not sent.
   */
  send(signature: Signature): Promise<Sent> {
    return new Promise((resolve, reject) => this.begin(signature, { sent: resolve, failed: reject }));
  }

  /** Resolves when no schema or middleware keeps a send any more. */
  async noneKept(): Promise<void> {
    while (this.#kept > 0) await new Promise<void>((resolve) => this.#onNoneKept.push(resolve));
  }

  /** As `send`, for who has another way to be told. Never throws. */
  begin(signature: Signature, receiver: SentReceiver): void {
    try {
      const task = this.#tasks.get(signature.task);
      if (task === undefined) assertTaskName(signature.task);
      const checked = task === undefined ? undefined : checkFor(task, signature.args);
      if (!(checked instanceof Promise)) return this.#beginChecked(signature, task, receiver);
      this.#kept += 1;
      checked
        .then(() => this.#beginChecked(signature, task, receiver))
        .catch((error: unknown) => receiver.failed(error))
        .finally(() => this.#letGo());
    } catch (error) {
      receiver.failed(error);
    }
  }

  #beginChecked(signature: Signature, task: Task<never> | undefined, receiver: SentReceiver): void {
    const message = this.#compose(signature, task);
    const key = readSendKey(message.task, signature.options);
    const encoded = encodeMessage(message);
    const bytes = bytesGiven(message, encoded);
    assertSize(message.task, bytes, task?.maxMessageSize ?? this.#settings.maxMessageSize);
    const sending = new Sending(message.task, { message: this.#delayed(message, encoded), key, bytes }, receiver);
    if (this.#storeWithin === undefined) return this.#store(sending);
    const { id, task: name, queue, headers } = message;
    this.#kept += 1;
    this.#storeWithin({ id, task: name, queue, headers }, sending).then(
      (publication) => {
        sending.stored(publication);
        this.#letGo();
      },
      (error: unknown) => {
        sending.failed(error);
        this.#letGo();
      },
    );
  }

  #letGo(): void {
    this.#kept -= 1;
    if (this.#kept === 0) for (const wake of this.#onNoneKept.splice(0)) wake();
  }

  #compose(signature: Signature, task: Task<never> | undefined): Message {
    const { task: name, options } = signature;
    const nowMs = this.#settings.clock.now();
    const read = readSendOptions(name, options, nowMs);
    const queue = options.queue ?? task?.queue ?? this.#declared[0] ?? "";
    if (options.queue !== undefined) assertDeclared(queue, this.#declared, ` for ${name}`);
    const id = options.taskId === undefined ? randomUUID() : shortText("taskId", options.taskId);
    const parent = currentTask();
    const etaMs = read.etaMs !== null && read.etaMs > nowMs ? read.etaMs : null;
    const expiresAfterMs = task?.expiresMs ?? null;
    assertJson(signature.args, "args");
    const isPositional = Array.isArray(signature.args);
    // Field by field: a spread here costs more than encoding the message.
    return {
      id,
      task: name,
      queue,
      priority: read.priority ?? task?.priority ?? 0,
      args: isPositional ? (signature.args as readonly unknown[]) : plainCall.args,
      kwargs: isPositional ? plainCall.kwargs : namedArgumentsOf(name, signature.args),
      etaMs,
      expiresMs: read.expiresMs ?? (expiresAfterMs === null ? null : (etaMs ?? nowMs) + expiresAfterMs),
      retries: 0,
      maxRetries: read.maxRetries,
      timeLimitMs: read.timeLimitMs,
      softTimeLimitMs: read.softTimeLimitMs,
      rootId: parent?.rootId ?? id,
      parentId: parent?.id ?? null,
      groupId: null,
      embed: plainCall.embed,
      headers: this.#headers({ id, task: name, queue, headers: options.headers ?? plainCall.headers }),
      replyTo: null,
      sentAtMs: etaMs ?? nowMs,
    };
  }

  /** The sender's headers, and what middleware adds. */
  #headers(context: SendContext): JsonObject {
    let { headers } = context;
    if (headers !== plainCall.headers) assertHeaders(context);
    for (const { name, headers: add } of this.#settings.middleware) {
      if (add === undefined) continue;
      const added = add({ ...context, headers });
      // Found out by the broker, it would fail the whole batch. Before they are joined, where a promise would leave no trace.
      assertJson(added ?? {}, `headers of ${context.task} from middleware "${name}"`);
      headers = { ...headers, ...added };
    }
    return headers;
  }

  #delayed({ etaMs }: Message, encoded: BrokerMessage): OutgoingMessage {
    return etaMs === null ? encoded : { ...encoded, delayMs: Math.max(0, etaMs - this.#settings.clock.now()) };
  }
}

/** Most have no headers but those of the protocol. */
function bytesGiven({ headers }: Message, { body }: BrokerMessage): number {
  return bodySize(body) + (headers === plainCall.headers ? 0 : userHeadersSize(headers));
}

/** The same checks as before a run: what would be refused there is not sent. */
function checkFor(task: Task<never>, args: unknown): unknown {
  const { name, positional, schema } = task;
  const named = Array.isArray(args) ? namedArguments({ task: name, args, kwargs: {} }, positional) : args;
  return schema === undefined ? undefined : validateArguments(name, schema, named);
}

/** Of a task that this app does not know; a known one has a good name. */
function assertTaskName(name: unknown): void {
  if (isTaskName(name)) return;
  throw new ConfigError("Q2005", `expected the name of a task, got ${quoted(name)}`, {
    hint: 'a name has 1 to 255 bytes: app.sendTask("billing.charge", { invoice: 7 })',
  });
}

function assertHeaders({ task, headers }: SendContext): void {
  assertKind(`headers of ${task}`, headers ?? null, "an object", 'headers: { "x-tenant": "acme" }');
  assertJson(headers, `headers of ${task}`);
  const taken = Object.keys(headers).find(isProtocolHeader);
  if (taken === undefined) return;
  throw new ArgumentsError("Q3005", `headers of ${task} has "${taken}", a name of the protocol`, {
    hint: `call it "x-${taken}"`,
  });
}

function namedArgumentsOf(task: string, args: unknown): JsonObject {
  if (isJsonObject(args)) return args;
  throw new ConfigError("Q2018", `${task} was sent ${describeKind(args)}: expected an object of named arguments`, {
    hint: `${task}.delay({ id })`,
  });
}
