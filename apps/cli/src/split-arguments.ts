import { didYouMean } from "@q/core";
import { UsageError } from "./cli-errors.ts";
import type { Flag } from "./flag.ts";

/** Arguments in the one form that the parser reads without doubt. */
export interface SplitArguments {
  /** `--concurrency=4`, `--once`; long names, values attached. */
  readonly flags: readonly string[];
  readonly operands: readonly string[];
}

/**
 * Reads `-c4`, `-c 4`, `-c=4`, `--concurrency 4` and `--concurrency=4` as the same, bundles such as `-vc4`, values that begin with a dash,
 * and everything behind `--` as operands.
 * @throws UsageError `Q2102` for a flag that the command does not have, `Q2103` for a missing or superfluous value
 */
export function splitArguments(args: readonly string[], known: readonly Flag[]): SplitArguments {
  const flags: string[] = [];
  const operands: string[] = [];
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg === "--") {
      operands.push(...rest);
      break;
    }
    if (arg.startsWith("--")) flags.push(readLong(arg, rest, known));
    else if (arg.startsWith("-") && arg !== "-") flags.push(...readShort(arg, rest, known));
    else operands.push(arg);
  }
  return { flags, operands };
}

function readLong(arg: string, rest: string[], known: readonly Flag[]): string {
  const equals = arg.indexOf("=");
  const name = equals === -1 ? arg : arg.slice(0, equals);
  const flag = find(name, known);
  if (equals === -1) return withValue(flag, undefined, rest);
  if (flag.value === "none") throw new UsageError("Q2103", `${name} takes no value`);
  return withValue(flag, arg.slice(equals + 1), rest);
}

function readShort(arg: string, rest: string[], known: readonly Flag[]): string[] {
  const read: string[] = [];
  for (let at = 1; at < arg.length; at += 1) {
    const flag = find(`-${arg.charAt(at)}`, known, arg);
    if (flag.value === "none") {
      read.push(flag.long);
      continue;
    }
    const attached = arg.slice(at + 1).replace(/^=/, "");
    read.push(withValue(flag, attached === "" ? undefined : attached, rest));
    break;
  }
  return read;
}

function withValue(flag: Flag, attached: string | undefined, rest: string[]): string {
  if (flag.value === "none") return flag.long;
  if (attached !== undefined) return `${flag.long}=${attached}`;
  const next = rest[0];
  if (flag.value === "optional") {
    if (next === undefined || !mayStandApart(next, flag)) return flag.long;
  } else if (next === undefined || (next.startsWith("--") && next.length > 2)) {
    throw new UsageError("Q2103", `${flag.long} needs a value`, {
      hint: `${flag.long} <${flag.valueName}>: ${flag.about}`,
    });
  }
  return `${flag.long}=${rest.shift() ?? ""}`;
}

/** Whether the next word is the optional value of a flag. Where it can be any text, the command has no operands that it could be instead. */
function mayStandApart(word: string, { valueName }: Flag): boolean {
  return valueName === "glob" ? !word.startsWith("-") : /^\d+(\.\d+)?(ms|s|m|h|d)$/.test(word);
}

function find(name: string, known: readonly Flag[], within: string = name): Flag {
  const flag = known.find((one) => one.names.includes(name));
  if (flag !== undefined) return flag;
  const shown = within === name ? name : `${name} in ${within}`;
  const names = known.flatMap((one) => one.names).filter((one) => one.startsWith("--"));
  throw new UsageError("Q2102", `unknown option ${shown}`, {
    hint: didYouMean(name, names) ?? "--help lists the options",
  });
}
