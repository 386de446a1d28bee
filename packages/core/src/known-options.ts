import { didYouMean } from "./nearest.ts";
import { ConfigError } from "./q-error.ts";

/**
 * Refuses options that nobody reads, such as a misspelt one.
 * @param where what the options belong to, for the message: `task "events.save_event"`
 * @throws ConfigError `Q2011`
 */
export function refuseUnknownOptions(where: string, options: object, known: readonly string[]): void {
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
 * An id or a key: it must not be empty, and must fit into a header or an index.
 * @throws ConfigError `Q2017`
 */
export function shortText(name: string, value: string): string {
  if (typeof value !== "string") throw new ConfigError("Q2017", `${name} is a ${typeof value}: expected a string`);
  const bytes = Buffer.byteLength(value);
  if (bytes >= 1 && bytes <= 255) return value;
  throw new ConfigError("Q2017", `${name} has ${bytes} bytes: expected 1 to 255`);
}
