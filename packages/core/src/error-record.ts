import { types } from "node:util";
import type { JsonObject } from "./json.ts";

/** An error as data, small enough to store. Chains of causes end after 8, stacks after 4,000 characters, all else after 1,000. */
export interface ErrorRecord {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly stack?: string;
  readonly cause?: ErrorRecord;
}

const { isNativeError } = types;
const longestChain = 8;

/** Turns whatever was thrown into data. Never throws, also for getters that do and for things that are not errors. */
export function errorRecord(thrown: unknown): ErrorRecord {
  return recordAt(thrown, 0);
}

function recordAt(thrown: unknown, depth: number): ErrorRecord {
  try {
    // Not by class alone: errors of Node's own come from another realm where a test runner has made one.
    if (!(thrown instanceof Error || isNativeError(thrown))) return recordOfOther(thrown);
    // An error's own fields may hold anything.
    const { name, message, code, stack, errors } = thrown as { readonly [key in ErrorField]?: unknown };
    // Of many failures, as of a connection to each address of a host, the first stands for all.
    const cause = thrown.cause ?? (Array.isArray(errors) ? (errors[0] as unknown) : undefined);
    return {
      name: cut(String(name), 100),
      message: cut(String(message), 1000),
      ...codeOf(code),
      ...(typeof stack === "string" ? { stack: cut(stack, depth === 0 ? 4000 : 1000) } : {}),
      ...(cause === undefined || depth + 1 >= longestChain ? {} : { cause: recordAt(cause, depth + 1) }),
    };
  } catch {
    return { name: "UnreadableError", message: "the thrown value could not be read" };
  }
}

type ErrorField = "name" | "message" | "code" | "stack" | "errors";

/** Some libraries throw plain objects that say what went wrong as an error would. */
function recordOfOther(thrown: unknown): ErrorRecord {
  const { message, code } = (typeof thrown === "object" ? (thrown ?? {}) : {}) as {
    readonly [key in ErrorField]?: unknown;
  };
  const told = typeof message === "string" && message !== "" ? message : describe(thrown);
  return { name: "NonError", message: cut(told, 1000), ...codeOf(code) };
}

function codeOf(code: unknown): { readonly code?: string } {
  return typeof code === "string" || typeof code === "number" ? { code: cut(String(code), 100) } : {};
}

/** Bytes of JSON that an error may take in a dead letter, whose reason has 16 KiB in all. */
const mostBytes = 12 * 1024;

/** The record as plain JSON for a dead letter, at most 12 KiB: when it is too long, first the causes' stacks go, then the causes, then its own stack. */
export function errorRecordToJson(record: ErrorRecord): JsonObject {
  const { stack: _stack, cause, ...bare } = record;
  const smaller = [
    record,
    { ...record, ...(cause === undefined ? {} : { cause: withoutStacks(cause) }) },
    { ...bare, ...stackOf(record) },
  ];
  const fitting = smaller.map(toJson).find((json) => Buffer.byteLength(JSON.stringify(json)) <= mostBytes);
  return fitting ?? bare;
}

function toJson(record: ErrorRecord): JsonObject {
  const { cause, ...own } = record;
  return cause === undefined ? own : { ...own, cause: toJson(cause) };
}

function withoutStacks(record: ErrorRecord): ErrorRecord {
  const { stack: _stack, cause, ...bare } = record;
  return cause === undefined ? bare : { ...bare, cause: withoutStacks(cause) };
}

function stackOf({ stack }: ErrorRecord): { readonly stack?: string } {
  return stack === undefined ? {} : { stack };
}

function describe(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null) return String(value);
  return `an instance of ${value.constructor?.name ?? "no class"} was thrown, which is not an Error`;
}

/** At most `length` characters, without half of a surrogate pair at the end. */
function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1).replace(/[\uD800-\uDBFF]$/, "")}…`;
}
