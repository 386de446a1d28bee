import { format } from "node:util";
import type { LogFields } from "@q/core";
import { configure } from "safe-stable-stringify";

/** With the limits of pino, which writes the JSON log. */
const safeStringify = configure({ maximumDepth: 5, maximumBreadth: 100 });
const unreadable = "[cannot be shown]";

/** What one call of a logger's method says. */
export interface LogCall {
  readonly fields: LogFields;
  /** Empty when there is none. */
  readonly text: string;
}

/**
 * Reads the arguments of such a call, which are not always those of `Logger`: code that no compiler has checked calls it as it calls pino, with the text
 * or an error first, and with values for the placeholders of the text. Never throws: a log line is no reason for a task to fail.
 */
export function readLogCall(call: readonly unknown[]): LogCall {
  const [first, ...others] = call;
  const [text, ...values] = typeof first === "object" || first === undefined ? others : call;
  return {
    fields: tried<LogFields>(() => fieldsOf(first), { fields: unreadable }),
    text: text === undefined ? "" : tried(() => format(text, ...values), unreadable),
  };
}

/** `email`, `"two words"`, `{"id":12}`: a field's value, nested ones as JSON. Never throws. */
export function logValue(value: unknown): string {
  return tried(() => {
    if (value instanceof Error) return `"${value.message}"`;
    return typeof value === "string" && !value.includes(" ") ? value : (json(value) ?? "");
  }, unreadable);
}

function fieldsOf(first: unknown): LogFields {
  if (first instanceof Error) return { err: first };
  return typeof first === "object" ? { ...first } : {};
}

function json(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    // A cycle or a bigint.
    return safeStringify(value);
  }
}

/** @param instead for when a getter or a conversion of the caller's own throws */
function tried<T>(read: () => T, instead: T): T {
  try {
    return read();
  } catch {
    return instead;
  }
}
