export type JsonPrimitive = null | boolean | number | string;
export type JsonArray = readonly JsonValue[];
export interface JsonObject {
  readonly [key: string]: JsonValue;
}
export type JsonValue = JsonPrimitive | JsonArray | JsonObject;

/** Levels of nesting that are read. `JSON.stringify` gives up in the thousands: what is deeper could not be written again. */
export const maxJsonDepth = 64;

export interface ParseJsonOptions {
  /** Levels of arrays and objects; `[[1]]` has two. Default 64. */
  readonly maxDepth?: number;
}

/** A text is not JSON that q reads. Never holds a part of the text, which may be secret. */
export class JsonError extends Error {
  override readonly name = "JsonError";
  /** `depth`: well formed as far as it was read, and nested too deep. */
  readonly kind: "syntax" | "depth";
  /** A few words for people: `nested deeper than 64 levels`. */
  readonly reason: string;

  constructor(kind: "syntax" | "depth", reason: string) {
    super(reason);
    this.kind = kind;
    this.reason = reason;
  }
}

/** An object of JSON or anything else that is neither an array, `null` nor a primitive. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * `JSON.parse` for text from anywhere: bounded depth, and no own `__proto__` keys, with which a later `Object.assign`
 * would change a prototype.
 * @throws JsonError
 */
export function parseJson(text: string, options: ParseJsonOptions = {}): JsonValue {
  const maxDepth = options.maxDepth ?? maxJsonDepth;
  if (!hasFewBrackets(text, maxDepth)) scanJson(text, maxDepth);
  let value: JsonValue;
  try {
    value = JSON.parse(text) as JsonValue; // JSON.parse makes nothing else
  } catch {
    // Not as the cause: its message quotes the text.
    throw new JsonError("syntax", "not JSON");
  }
  return withoutProto(text, value);
}

/** As `parseJson`, of what may be anything; `undefined` for a text that is not JSON that q reads. */
export function tryParseJson(text: string, options?: ParseJsonOptions): JsonValue | undefined {
  try {
    return parseJson(text, options);
  } catch {
    // Nothing else is thrown there, and whoever reads the text says what that means.
    return undefined;
  }
}

/** Whether there are too few for so many levels, which is so for almost every text and much sooner seen. Each level has two. */
function hasFewBrackets(text: string, most: number): boolean {
  if (text.length <= 2 * most) return true;
  let left = most;
  for (const bracket of ["[", "{"])
    for (let at = text.indexOf(bracket); at !== -1; at = text.indexOf(bracket, at + 1)) if (--left < 0) return false;
  return true;
}

const quote = 0x22;
const backslash = 0x5c;

/**
 * Looks over a text before it is parsed, without recursion. What is not JSON is left to the parser to refuse.
 * @returns whether an integer of 16 digits or more stands outside of strings, which a number may not hold exactly
 * @throws JsonError of kind `depth`
 */
export function scanJson(text: string, maxDepth: number): { readonly hasLongInteger: boolean } {
  let depth = 0;
  let hasLongInteger = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === quote) {
      at = endOfString(text, at);
    } else if (code === 0x5b /* [ */ || code === 0x7b /* { */) {
      depth += 1;
      if (depth > maxDepth) throw new JsonError("depth", `nested deeper than ${maxDepth} levels`);
    } else if (code === 0x5d /* ] */ || code === 0x7d /* } */) {
      depth -= 1;
    } else if (isDigit(code)) {
      const start = at;
      while (isDigit(text.charCodeAt(at + 1))) at += 1;
      if (at - start >= 15 && isWhole(text, start, at + 1)) hasLongInteger = true;
    }
  }
  return hasLongInteger ? { hasLongInteger } : onlyShortIntegers;
}

const onlyShortIntegers = { hasLongInteger: false } as const;

/** Index of the quote that ends the string beginning at `start`, or of the text's end. */
export function endOfString(text: string, start: number): number {
  let at = start;
  for (;;) {
    at = text.indexOf('"', at + 1);
    if (at === -1) return text.length;
    let slashes = 0;
    while (text.charCodeAt(at - 1 - slashes) === backslash) slashes += 1;
    if (slashes % 2 === 0) return at;
  }
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** The digits are neither behind a decimal point nor in front of a fraction or an exponent. */
function isWhole(text: string, start: number, end: number): boolean {
  const next = text.charCodeAt(end);
  return text.charCodeAt(start - 1) !== 0x2e && next !== 0x2e && next !== 0x65 && next !== 0x45;
}

/** `\u` escapes of the letters and the underscore that `__proto__` consists of. No writer escapes those without intent. */
const escapedLetter = /\\u00[567]/;

/** `value`, which was parsed from `text`, with own `__proto__` keys deleted in place. */
export function withoutProto<T>(text: string, value: T): T {
  // The rarest letters first, as these are the bulk of what is looked for.
  if (text.includes("proto__") || (text.includes("u00") && escapedLetter.test(text))) deleteProto(value);
  return value;
}

/** Recursion is bounded by the depth that was read. */
function deleteProto(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  if (Object.hasOwn(value, "__proto__")) delete (value as Record<string, unknown>)["__proto__"];
  for (const child of Object.values(value)) deleteProto(child);
}
