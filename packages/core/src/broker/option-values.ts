import { durationMs, type Duration } from "../duration.ts";
import { ConfigError } from "../q-error.ts";

/**
 * Options of an adapter by name, from an object or, as text, from a URL. Reading one checks it; one that was not given is `undefined`.
 * Every method throws ConfigError `Q2027`, `duration` also `Q2010`.
 */
export class OptionValues {
  readonly #values: ReadonlyMap<string, unknown>;

  /** @param layers what is given in a later one wins; `undefined` is not given */
  constructor(...layers: readonly object[]) {
    const entries: (readonly [string, unknown])[] = layers.flatMap((layer) => Object.entries(layer));
    this.#values = new Map(entries.filter(([, value]) => value !== undefined));
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** Whether it is false, or the word. */
  isOff(name: string): boolean {
    const value = this.#values.get(name);
    return value === false || value === "false";
  }

  /** Its value is never repeated: it may be a password. */
  text(name: string): string | undefined {
    const value = this.#values.get(name);
    if (value === undefined || (typeof value === "string" && !value.includes("\0"))) return value;
    throw new ConfigError(
      "Q2027",
      `expected ${name} to be text, got ${typeof value === "string" ? "a NUL" : typeof value}`,
    );
  }

  /** A whole number. */
  number(name: string, { from, to }: { readonly from: number; readonly to: number }): number | undefined {
    const value = this.#values.get(name);
    if (value === undefined) return undefined;
    const number = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
    if (typeof number === "number" && Number.isInteger(number) && number >= from && number <= to) return number;
    throw new ConfigError("Q2027", `expected ${name} to be a whole number from ${from} to ${to}, got ${shown(value)}`);
  }

  flag(name: string): boolean | undefined {
    const value = this.#values.get(name);
    if (value === undefined || typeof value === "boolean") return value;
    if (value === "true" || value === "false") return value === "true";
    throw new ConfigError("Q2027", `expected ${name} to be true or false, got ${shown(value)}`);
  }

  /** Milliseconds. */
  duration(name: string, { atLeast }: { readonly atLeast: Duration }): number | undefined {
    const value = this.#values.get(name);
    if (value === undefined) return undefined;
    // Anything but a duration is refused there.
    const ms = durationMs(value as Duration, name);
    if (ms >= durationMs(atLeast)) return ms;
    throw new ConfigError("Q2027", `expected ${name} to be at least "${atLeast}", got ${shown(value)}`);
  }

  /** A list of text. */
  list(name: string): readonly string[] | undefined {
    const value = this.#values.get(name);
    if (value === undefined) return undefined;
    if (Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === "string")) return value;
    throw new ConfigError("Q2027", `expected ${name} to be a list of host:port with at least one`);
  }

  /** What `read` makes of each member, which gets its name with it. */
  each<T>(name: string, read: (member: string, value: unknown) => T): Readonly<Record<string, T>> | undefined {
    const value = this.#values.get(name);
    if (value === undefined) return undefined;
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw new ConfigError("Q2027", `expected ${name} to be an object, got ${shown(value)}`);
    return Object.fromEntries(Object.entries(value).map(([member, one]) => [member, read(member, one)]));
  }

  /** One of several words. */
  word<const T extends string>(name: string, words: readonly T[]): T | undefined {
    const value = this.#values.get(name);
    if (value === undefined) return undefined;
    const word = words.find((one) => one === value);
    if (word !== undefined) return word;
    throw new ConfigError(
      "Q2027",
      `expected ${name} to be one of ${words.map((one) => `"${one}"`).join(", ")}, got ${shown(value)}`,
    );
  }

  /** Text by text. */
  table(name: string): Readonly<Record<string, string>> | undefined {
    const value = this.#values.get(name);
    if (value === undefined) return undefined;
    if (typeof value === "object" && value !== null && Object.values(value).every((one) => typeof one === "string"))
      return value as Readonly<Record<string, string>>; // what was just looked at
    throw new ConfigError("Q2027", `expected ${name} to be an object of host:port by host:port`);
  }
}

function shown(value: unknown): string {
  return JSON.stringify(value) ?? typeof value;
}
