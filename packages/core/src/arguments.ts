import type { StandardSchemaV1 } from "@standard-schema/spec";
import { maxJsonDepth } from "./json.ts";
import { describeKind } from "./known-options.ts";
import type { Message } from "./message.ts";
import { QError } from "./q-error.ts";
import { isThenable } from "./thenable.ts";

/**
 * The arguments of a call are not what they must be. Codes `Q3001` to `Q3004`. When sending, nothing was sent; in a worker,
 * the handler was not called.
 */
export class ArgumentsError extends QError {}

/** The list that every body is takes one of the levels that are read. */
const mostLevels = maxJsonDepth - 1;

/**
 * Makes sure that JSON carries `value` unchanged: primitives, arrays and plain objects. Properties that are `undefined`
 * pass, and are not sent.
 * @param path what `value` is called in the error: `args`
 * @throws ArgumentsError `Q3002`, naming the place and the nearest fix
 */
export function assertJson(value: unknown, path: string): void {
  check(value, { path, steps: [] });
}

/** Where the check is: the way down from the value it began with. */
interface Trail {
  readonly path: string;
  readonly steps: { readonly owner: object; readonly key: string | number }[];
}

function check(value: unknown, trail: Trail): void {
  if (isPassed(value)) return;
  if (typeof value !== "object" || value === null) refuse(trail, refusalOf(value));
  if (trail.steps.length >= mostLevels) refuseDeep(trail, value);
  if (Array.isArray(value)) {
    // By index: forEach would pass over holes, which JSON turns into null.
    for (let index = 0; index < value.length; index += 1) enter(value, index, value[index], trail);
    return;
  }
  if (!isPlain(value)) refuse(trail, refusalOfInstance(value));
  for (const key of Object.keys(value)) {
    if (key === "__proto__") refuse(trail, protoKey);
    const child = (value as Record<string, unknown>)[key]; // one of its own keys
    if (child !== undefined) enter(value, key, child, trail);
  }
}

function isPassed(value: unknown): boolean {
  return typeof value === "string" || typeof value === "boolean" || value === null || Number.isFinite(value);
}

function enter(owner: object, key: string | number, child: unknown, trail: Trail): void {
  // Most are plain values: no step for them.
  if (isPassed(child)) return;
  trail.steps.push({ owner, key });
  check(child, trail);
  trail.steps.pop();
}

function refuse({ path, steps }: Trail, [what, fix]: Refusal): never {
  const place = steps.reduce((text, { key }) => text + step(key), path);
  throw new ArgumentsError("Q3002", `${place} is ${what}: ${fix}`);
}

/** A cycle is only noticed by its depth: looking for one at each step would cost every call. */
function refuseDeep({ path, steps }: Trail, value: object): never {
  const begins = steps.findIndex(({ owner }) => owner === value);
  const closes = steps.findIndex(({ owner }, index) => begins !== -1 && index > begins && owner === value);
  if (begins === -1) {
    refuse({ path, steps: steps.slice(0, 3) }, [
      `nested deeper than ${mostLevels} levels`,
      "send a flatter value, or store it and send its id",
    ]);
  }
  refuse({ path, steps: closes === -1 ? steps : steps.slice(0, closes) }, [
    "part of a cycle",
    "send the id of what it refers to",
  ]);
}

function step(key: string | number): string {
  if (typeof key === "number" || /^[\w$]{1,60}$/.test(key)) return `.${key}`;
  return `[${JSON.stringify(key.length > 60 ? `${key.slice(0, 59)}…` : key)}]`;
}

/** Also for objects from another realm, whose `Object.prototype` is another. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null;
}

type Refusal = readonly [what: string, fix: string];

const protoKey: Refusal = [
  "an object with the key __proto__",
  "rename it, it changes prototypes when objects are merged",
];

function refusalOf(value: unknown): Refusal {
  switch (typeof value) {
    case "bigint":
      return ["a BigInt", "send it as text, value.toString()"];
    case "number":
      return [String(value), "send null, or leave it out"];
    case "undefined":
      return ["undefined", "send null"];
    case "function":
      return ["a function", "send the name of what is to be done"];
    default:
      return ["a symbol", "send its description as text"];
  }
}

const fixes: Readonly<Record<string, string>> = {
  Date: "send an ISO string, value.toISOString()",
  Map: "send an object, Object.fromEntries(value)",
  Set: "send an array, [...value]",
  Promise: "await it",
  URL: "send its text, value.href",
  RegExp: "send its text, value.source",
  Buffer: 'send text, value.toString("base64"), or store it and send its id',
  Uint8Array: "send text in base64, or store it and send its id",
};

function refusalOfInstance(value: object): Refusal {
  const name = nameOfClass(value);
  const article = /^[AEIO]/.test(name) ? "an" : "a";
  if (value instanceof Error) return [`${article} ${name}`, "send its message"];
  const fix = Object.hasOwn(fixes, name) ? fixes[name] : undefined;
  return fix === undefined
    ? [`an instance of ${name}`, "send an object of the fields that the task needs, or its id"]
    : [`${article} ${name}`, fix];
}

function nameOfClass(value: object): string {
  const name: unknown = value.constructor?.name;
  return typeof name === "string" && /^[\w$]{1,60}$/.test(name) ? name : "a class";
}

/**
 * @param bytes of the encoded body, and of the headers that the sender attached
 * @throws ArgumentsError `Q3003` when that is more than `maxBytes`
 */
export function assertSize(task: string, bytes: number, maxBytes: number): void {
  if (bytes <= maxBytes) return;
  throw new ArgumentsError(
    "Q3003",
    `${task}: the arguments and headers are ${formatBytes(bytes)}, the limit is ${formatBytes(maxBytes)}`,
    {
      hint: "store the large part and send its id or key; maxMessageSize, of the task or of createApp, raises the limit",
    },
  );
}

function formatBytes(bytes: number): string {
  const exact = `${bytes} bytes`;
  if (bytes < 1024) return exact;
  const [amount, unit] = bytes < 1024 * 1024 ? [bytes / 1024, "KiB"] : [bytes / 1024 / 1024, "MiB"];
  return `${Math.round(amount * 10) / 10} ${unit} (${exact})`;
}

/**
 * What the schema makes of `value`: at once, unless the schema is asynchronous.
 * @throws ArgumentsError `Q3001` with the first thing that is wrong, and the next four in `details`. Rejects with it when
 * asynchronous
 */
export function validateArguments(task: string, schema: StandardSchemaV1, value: unknown): unknown {
  const result = schema["~standard"].validate(value);
  // Any that can be waited for, or what a library's own promise refuses would count as accepted.
  return isThenable(result)
    ? Promise.resolve(result).then((settled) => accepted(task, settled, value))
    : accepted(task, result, value);
}

function accepted(task: string, result: StandardSchemaV1.Result<unknown>, value: unknown): unknown {
  if (result.issues === undefined) return result.value;
  const told = result.issues.slice(0, 5).map((issue) => describeIssue(issue, value));
  const more = result.issues.length > 1 ? `, and ${result.issues.length - 1} more` : "";
  const [first = "args are refused by the schema"] = told;
  throw new ArgumentsError("Q3001", `${task}: ${first}${more}`, {
    details: Object.fromEntries(told.slice(1).map((text, index) => [`also ${index + 1}`, text])),
  });
}

/** The end of a message in which valibot and arktype quote the value, and zod names its type. */
const whatCame = /[\s,;]*(?:\bbut )?(?:\b(?:got|received)\b|\(was\b).*$/is;

/** Of a schema's message. It may quote a key of the payload, which may have any length, and looking for `whatCame` in it takes the square of that. */
const mostRead = 1000;

/** `args.userId expected number, got a string`: the schema's words, and the type, never the value, which may be a secret. */
function describeIssue(issue: StandardSchemaV1.Issue, value: unknown): string {
  const keys = (issue.path ?? []).map((part) => (typeof part === "object" ? part.key : part));
  const place = keys.reduce<string>((text, key) => text + step(typeof key === "number" ? key : String(key)), "args");
  const words = issue.message
    .slice(0, mostRead)
    .replace(/^Invalid (?:input|type): /, "")
    .replace(whatCame, "")
    .slice(0, 200);
  const phrase = words.charAt(0).toLowerCase() + words.slice(1);
  return `${place} ${phrase}, got ${typeAt(value, keys)}`;
}

function typeAt(value: unknown, keys: readonly PropertyKey[]): string {
  let found = value;
  for (const key of keys) {
    const isReachable = typeof found === "object" && found !== null && Object.hasOwn(found, key);
    found = isReachable ? (found as Record<PropertyKey, unknown>)[key] : undefined; // an own key, as just checked
  }
  return describeKind(found);
}

/**
 * The arguments of a call as one object, which is what a handler takes.
 * @param positional the task's names for positional arguments, in order
 * @throws ArgumentsError `Q3004` when a positional argument has no name, or two values
 */
export function namedArguments(
  call: Pick<Message, "task" | "args" | "kwargs">,
  positional: readonly string[] | undefined,
): Readonly<Record<string, unknown>> {
  const { task, args, kwargs } = call;
  if (args.length === 0) return kwargs;
  if (positional === undefined) {
    const names = args.map((_, index) => `"arg${index + 1}"`).slice(0, 5);
    throw new ArgumentsError("Q3004", `${task} got ${count(args.length)}, and does not declare how they are called`, {
      hint: `add positional: [${names.join(", ")}] to the task, with the names that its handler uses`,
    });
  }
  if (args.length > positional.length) {
    const names = positional.length === 0 ? "" : ` (${positional.join(", ")})`;
    throw new ArgumentsError("Q3004", `${task} takes ${count(positional.length)}${names}, got ${args.length}`);
  }
  const named: Record<string, unknown> = { ...kwargs };
  positional.slice(0, args.length).forEach((name, index) => {
    if (Object.hasOwn(kwargs, name)) {
      throw new ArgumentsError("Q3004", `${task} got multiple values for argument "${name}"`);
    }
    named[name] = args[index];
  });
  return named;
}

function count(positional: number): string {
  return positional === 1 ? "1 positional argument" : `${positional === 0 ? "no" : positional} positional arguments`;
}
