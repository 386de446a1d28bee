import type { Flag } from "../flag.ts";
import { firstWords, groups, valueOf, type CompletionCommand } from "./completion-spec.ts";

/** A script for fish: `q completion fish > ~/.config/fish/completions/q.fish`. */
export function fishCompletion(commands: readonly CompletionCommand[]): string {
  const groupList = [...groups(commands)];
  return [
    "# fish completion for q. Put it there: q completion fish > ~/.config/fish/completions/q.fish",
    "function __q_command -d 'the command that was typed so far: one word, or two of a group'",
    "  set -l words (commandline -opc | string match -v -- '-*')",
    '  switch "$words[2]"',
    ...groupList.map(
      ([group, verbs]) =>
        `    case ${group}; contains -- "$words[3]" ${verbs.map(({ word }) => word).join(" ")}; and set words[2] "$words[2] $words[3]"`,
    ),
    "  end",
    '  echo "$words[2]"',
    "end",
    "function __q_at",
    "  set -l command (__q_command)",
    '  test "$command" = "$argv"',
    "end",
    "function __q_names",
    "  set -l words (commandline -opc)",
    "  $words[1] __complete $argv 2>/dev/null",
    "end",
    "complete -c q -f",
    ...firstWords(commands).map(({ word, summary }) => wordLine("", word, summary)),
    ...groupList.flatMap(([group, verbs]) => verbs.map(({ word, summary }) => wordLine(group, word, summary))),
    ...commands.flatMap((command) => [
      ...command.flags.map((flag) => flagLine(command.path, flag)),
      ...operandLines(command),
    ]),
    "complete -c qtask -w q",
    "",
  ].join("\n");
}

/** A word that may follow a command, or begin the line. */
function wordLine(path: string, word: string, summary: string): string {
  return `complete -c q -n '${`__q_at ${path}`.trim()}' -a ${word} -d ${quote(summary)}`;
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
  return ` -x -a ${typeof value === "string" ? `'(__q_names ${value})'` : quote(value.join(" "))}`;
}

function operandLines({ path, operand }: CompletionCommand): string[] {
  if (operand === undefined) return [];
  const words = typeof operand === "string" ? `(__q_names ${operand})` : operand.join(" ");
  return [`complete -c q -n '__q_at ${path}' -a ${quote(words)}`];
}

function quote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
