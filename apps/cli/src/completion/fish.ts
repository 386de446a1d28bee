import type { Flag } from "../flag.ts";
import { valueOf, type CompletionCommand } from "./completion-spec.ts";

/** A script for fish: `q completion fish > ~/.config/fish/completions/q.fish`. */
export function fishCompletion(commands: readonly CompletionCommand[]): string {
  const firstWords = new Map(commands.map(({ path, summary }) => [path.split(" ")[0] ?? path, summary]));
  const verbs = commands.filter(({ path }) => path.includes(" "));
  return [
    "# fish completion for q. Put it there: q completion fish > ~/.config/fish/completions/q.fish",
    "function __q_at",
    "  set -l words (commandline -opc | string match -v -- '-*')",
    '  test (string join " " $words[2..(math 1 + (count $argv))]) = (string join " " $argv)',
    "end",
    "complete -c q -f",
    ...[...firstWords].map(
      ([word, summary]) => `complete -c q -n __fish_use_subcommand -a ${word} -d ${quote(summary)}`,
    ),
    ...verbs.map(({ path, summary }) => {
      const [group = "", verb = ""] = path.split(" ");
      return `complete -c q -n '__q_at ${group}; and not __q_at ${path}' -a ${verb} -d ${quote(summary)}`;
    }),
    ...commands.flatMap((command) => [
      ...command.flags.map((flag) => flagLine(command.path, flag)),
      ...operandLines(command),
    ]),
    "complete -c qtask -w q",
    "",
  ].join("\n");
}

function flagLine(path: string, flag: Flag): string {
  const names = flag.names
    .map((name) => (name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`))
    .join(" ");
  return `complete -c q -n '__q_at ${path}' ${names}${valuePart(flag)} -d ${quote(flag.about)}`;
}

function valuePart(flag: Flag): string {
  const value = valueOf(flag);
  if (value === "files") return " -r -F";
  if (value === undefined) return flag.value === "required" ? " -x" : "";
  return ` -x -a ${typeof value === "string" ? `'(q __complete ${value} 2>/dev/null)'` : quote(value.join(" "))}`;
}

function operandLines({ path, operand }: CompletionCommand): string[] {
  if (operand === undefined) return [];
  const words = typeof operand === "string" ? `(q __complete ${operand} 2>/dev/null)` : operand.join(" ");
  return [`complete -c q -n '__q_at ${path}' -a ${quote(words)}`];
}

function quote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
