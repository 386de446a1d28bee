import { commandTable, hiddenCommands, type CommandEntry } from "./command-table.ts";

/** What a command line asks for. */
export type Request =
  | { readonly kind: "command"; readonly entry: CommandEntry; readonly args: readonly string[] }
  /** About one command, about a group of them, or (both absent) about all. */
  | { readonly kind: "help"; readonly entry?: CommandEntry; readonly group?: string }
  | { readonly kind: "version"; readonly args: readonly string[] }
  /** Options and no command. `flag` is the first that says nothing by itself, without its value. */
  | { readonly kind: "no-command"; readonly flag: string }
  | { readonly kind: "unknown"; readonly words: string; readonly known: readonly string[] };

/** Flags with which the page of all commands may be asked for. */
export const switches: readonly string[] = [
  "--",
  "--json",
  "-q",
  "--quiet",
  "-v",
  "--verbose",
  "--no-color",
  "--no-input",
];

/** Flags with a value that may stand before the command, as in `q --config x worker`. */
export const leadingValueFlags: readonly string[] = [
  "--config",
  "-A",
  "--env-file",
  "--broker",
  "-b",
  "--timeout",
  "--log-level",
  "--loglevel",
  "-l",
  "--log-format",
];

/** Finds the command in the arguments, without loading it. Pure. */
export function dispatch(argv: readonly string[]): Request {
  const start = firstWord(argv);
  const before = argv.slice(0, start);
  const words = argv.slice(start);
  const options = argv.includes("--") ? argv.slice(0, argv.indexOf("--")) : argv;
  const wantsHelp = options.some((arg) => arg === "-h" || arg === "--help");

  if (words[0] === "help") return helpAbout(words.slice(1).filter((word) => !word.startsWith("-")));
  if (words[0] === "version") return { kind: "version", args: [...before, ...words.slice(1)] };
  if (words.length === 0) {
    if (before.includes("--version") || before.includes("-V")) return { kind: "version", args: before };
    const stray = before.find((arg) => !switches.includes(arg));
    return wantsHelp || stray === undefined
      ? { kind: "help" }
      : { kind: "no-command", flag: stray.split("=", 1)[0] ?? stray };
  }

  const found = longestMatch(words);
  const group = words[0] ?? "";
  const members = membersOf(group);
  if (found === undefined) {
    if (members.length === 0) return unknown(words.slice(0, 1), allNames());
    return wantsHelp || words.length === 1 ? { kind: "help", group } : unknown(words.slice(0, 2), members);
  }
  const [entry, length] = found;
  const operand = words[length];
  // `q dead lst`: the group's name alone lists, but a further word was meant to be a verb.
  if (length === 1 && members.length > 0) {
    if (wantsHelp) return { kind: "help", group };
    if (operand !== undefined && !operand.startsWith("-")) return unknown(words.slice(0, 2), members);
  }
  return wantsHelp ? { kind: "help", entry } : { kind: "command", entry, args: [...before, ...words.slice(length)] };
}

/** Every way to call every command, for suggestions. */
function allNames(): string[] {
  return [...commandTable.flatMap((entry) => [entry.path, ...(entry.aliases ?? [])]), "version", "help"];
}

function firstWord(argv: readonly string[]): number {
  for (let at = 0; at < argv.length; at += 1) {
    const arg = argv[at] ?? "";
    if (!arg.startsWith("-")) return at;
    if (leadingValueFlags.includes(arg)) at += 1;
  }
  return argv.length;
}

function longestMatch(words: readonly string[]): readonly [CommandEntry, number] | undefined {
  for (const length of [2, 1]) {
    if (words.length < length) continue;
    const name = words.slice(0, length).join(" ");
    const entry = [...commandTable, ...hiddenCommands].find(
      (one) => one.path === name || one.aliases?.includes(name) === true,
    );
    if (entry !== undefined) return [entry, length];
  }
  return undefined;
}

/** The commands that begin with this word, such as those of `queues`. */
function membersOf(group: string): string[] {
  return allNames().filter((name) => name.startsWith(`${group} `));
}

function helpAbout(words: readonly string[]): Request {
  if (words.length === 0) return { kind: "help" };
  const found = longestMatch(words);
  const group = words[0] ?? "";
  if (found !== undefined && !(found[1] === 1 && membersOf(group).length > 0)) return { kind: "help", entry: found[0] };
  return membersOf(group).length > 0 && words.length === 1 ? { kind: "help", group } : unknown(words, allNames());
}

function unknown(words: readonly string[], known: readonly string[]): Request {
  return { kind: "unknown", words: words.join(" "), known };
}
