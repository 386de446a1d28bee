import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { text } from "node:stream/consumers";
import type { CliContext } from "./cli-context.ts";
import { UsageError } from "./cli-errors.ts";
import { areNumbersExact } from "./exact-numbers.ts";

export interface GivenArguments {
  /** The operand: JSON, `-` for stdin, `@file`. */
  readonly operand: string | undefined;
  /** `--args`: a JSON list, as Celery's `call` takes it. */
  readonly positional: string | undefined;
  /** `--kwargs`: a JSON object. */
  readonly named: string | undefined;
}

/**
 * The arguments of a call, from wherever they were given; none is an empty object.
 * @throws UsageError `Q2103` when they are not a JSON object or list, or come from two places
 */
export async function readSendArguments(given: GivenArguments, context: CliContext): Promise<object> {
  const sources = [
    ["the arguments", given.operand, "any"],
    ["--args", given.positional, "list"],
    ["--kwargs", given.named, "object"],
  ] as const;
  const present = sources.filter(([, source]) => source !== undefined);
  if (present.length > 1)
    throw new UsageError("Q2103", `${present.map(([name]) => name).join(" and ")} exclude each other`, {
      hint: "a task takes either named or positional arguments",
    });
  const [name, source, kind] = present[0] ?? ["the arguments", undefined, "any"];
  return source === undefined ? {} : parse(name, await read(source, context), kind);
}

async function read(source: string, context: CliContext): Promise<string> {
  if (source === "-") return text(context.stdin);
  if (!source.startsWith("@")) return source;
  const path = resolve(context.cwd, source.slice(1));
  try {
    // What Windows writes at the beginning of a text file; from stdin it is taken away by itself.
    return (await readFile(path, "utf8")).replace(/^\uFEFF/, "");
  } catch (cause) {
    throw new UsageError("Q2103", `${path} could not be read`, {
      cause,
      hint: "@ takes the rest of the argument as the path of a file with JSON in it",
    });
  }
}

/** The text itself is never repeated in an error: arguments may be confidential. */
function parse(name: string, source: string, kind: "any" | "list" | "object"): object {
  let value: unknown;
  try {
    value = JSON.parse(source);
  } catch {
    throw new UsageError("Q2103", `${name} are not JSON`, {
      hint: `q send hello '{"name":"Ada"}'   (mind the shell's quotes)`,
    });
  }
  if (!areNumbersExact(source)) {
    throw new UsageError("Q2103", `${name} hold a whole number that would be sent as another one`, {
      hint: "numbers are exact up to 9007199254740991; send a longer one as text",
    });
  }
  const isRight =
    kind === "list"
      ? Array.isArray(value)
      : typeof value === "object" && value !== null && (kind === "any" || !Array.isArray(value));
  if (isRight) return value as object;
  const expected =
    kind === "list"
      ? "a JSON list"
      : kind === "object"
        ? "a JSON object"
        : "a JSON object, or a list for a task with positional arguments";
  throw new UsageError("Q2103", `expected ${name} to be ${expected}`);
}
