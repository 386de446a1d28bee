import { didYouMean } from "./nearest.ts";
import { ConfigError } from "./q-error.ts";

type Kind = "a string" | "a function" | "an array" | "an array of strings" | "an object";

function isOfKind(value: unknown, kind: Kind): boolean {
  switch (kind) {
    case "a string":
      return typeof value === "string";
    case "a function":
      return typeof value === "function";
    case "an array":
      return Array.isArray(value);
    case "an array of strings":
      return Array.isArray(value) && value.every((item) => typeof item === "string");
    case "an object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
  }
}

/**
 * For callers without types: configs are loaded unchecked. `undefined` passes, it is an option that was left out.
 * @throws ConfigError `Q2030` when the value is not of the kind; what it is instead is told, never the value, which may be a URL with a password
 */
export function assertKind(name: string, value: unknown, expected: Kind, hint?: string): void {
  if (value === undefined || isOfKind(value, expected)) return;
  throw wrongKind(name, value, expected, hint);
}

/** The error for a value of the wrong kind. Code `Q2030`. */
export function wrongKind(name: string, value: unknown, expected: string, hint?: string): ConfigError {
  return new ConfigError("Q2030", `expected ${name} to be ${expected}, got ${describeKind(value)}`, { hint });
}

/** `null`, `an array`, `a string`: what a value is, without the value. */
export function describeKind(value: unknown): string {
  if (value === null) return "null";
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/**
 * Refuses options that nobody reads, such as a misspelt one.
 * @param where what the options belong to, for the message: `task "events.save_event"`
 * @throws ConfigError `Q2011`; `Q2030` when they are no object
 */
export function refuseUnknownOptions(where: string, options: object, known: readonly string[]): void {
  if (!isOfKind(options, "an object"))
    throw new ConfigError("Q2030", `${where}: expected an object of options, got ${describeKind(options)}`);
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    throw new ConfigError("Q2011", `${where} has an unknown option "${name}"`, {
      hint: didYouMean(name, known),
      details: { known: known.join(", ") },
    });
  }
}

/**
 * @throws ConfigError `Q2012` when the value is not a whole number in the range
 */
export function wholeNumber(
  name: string,
  value: number,
  range: { readonly from: number; readonly to?: number },
): number {
  const { from, to = Number.MAX_SAFE_INTEGER } = range;
  if (Number.isSafeInteger(value) && value >= from && value <= to) return value;
  const expected = to === Number.MAX_SAFE_INTEGER ? `of at least ${from}` : `from ${from} to ${to}`;
  throw new ConfigError("Q2012", `expected ${name} to be a whole number ${expected}, got ${String(value)}`);
}

/**
 * An id or a key: it must not be empty, and must fit into a header or an index. Without NUL, at which some stores end a text: one that is refused
 * there would take the others of its batch along. Without half a surrogate pair, which UTF-8 does not have: two keys would become one.
 * @throws ConfigError `Q2017`
 */
export function shortText(name: string, value: string): string {
  if (typeof value !== "string") throw new ConfigError("Q2017", `${name} is a ${typeof value}: expected a string`);
  const bytes = Buffer.byteLength(value);
  if (value.includes("\0")) throw new ConfigError("Q2017", `${name} has a NUL character`);
  if (/\p{Surrogate}/u.test(value)) {
    throw new ConfigError("Q2017", `${name} has half a character, which UTF-8 cannot hold`, {
      hint: "was it cut in the middle of a surrogate pair? cut [...text], not text.slice()",
    });
  }
  if (bytes >= 1 && bytes <= 255) return value;
  throw new ConfigError("Q2017", `${name} has ${bytes} bytes: expected 1 to 255`);
}
