import type { JsonObject } from "./json.ts";

/** An error as data, small enough to store. Chains of causes end after 8, stacks after 4,000 characters, all else after 1,000. */
export interface ErrorRecord {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly stack?: string;
  readonly cause?: ErrorRecord;
}

const longestChain = 8;

/** Turns whatever was thrown into data. Never throws, also for getters that do and for things that are not errors. */
export function errorRecord(thrown: unknown, depth = 0): ErrorRecord {
  try {
    if (!(thrown instanceof Error)) return { name: "NonError", message: cut(describe(thrown), 1000) };
    const { code, cause } = thrown as { code?: unknown; cause?: unknown };
    return {
      name: cut(String(thrown.name), 100),
      message: cut(String(thrown.message), 1000),
      ...(typeof code === "string" || typeof code === "number" ? { code: cut(String(code), 100) } : {}),
      ...(typeof thrown.stack === "string" ? { stack: cut(thrown.stack, depth === 0 ? 4000 : 1000) } : {}),
      ...(cause === undefined || depth + 1 >= longestChain ? {} : { cause: errorRecord(cause, depth + 1) }),
    };
  } catch {
    return { name: "UnreadableError", message: "the thrown value could not be read" };
  }
}

/** The record as plain JSON, as it stands in a dead letter. */
export function errorRecordToJson(record: ErrorRecord): JsonObject {
  const { cause, ...own } = record;
  return cause === undefined ? own : { ...own, cause: errorRecordToJson(cause) };
}

function describe(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null) return String(value);
  return `a ${value.constructor?.name ?? "thing"} was thrown, which is not an Error`;
}

/** At most `length` characters, without half of a surrogate pair at the end. */
function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1).replace(/[\uD800-\uDBFF]$/, "")}…`;
}
