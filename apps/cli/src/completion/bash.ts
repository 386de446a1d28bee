import { valueOf, type CompletionCommand } from "./completion-spec.ts";

/** A script for bash: `source <(q completion bash)`. */
export function bashCompletion(commands: readonly CompletionCommand[]): string {
  const groups = [...new Set(commands.flatMap(({ path }) => (path.includes(" ") ? [path.split(" ")[0] ?? ""] : [])))];
  const firstWords = [...new Set(commands.map(({ path }) => path.split(" ")[0]))].join(" ");
  return `# bash completion for q. Load it with: source <(q completion bash)
_q() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" first="" second="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${COMP_WORDS[i]}" in
      -*) ;;
      *) if [[ -z $first ]]; then first="\${COMP_WORDS[i]}"; elif [[ -z $second ]]; then second="\${COMP_WORDS[i]}"; fi ;;
    esac
  done
  if [[ -z $first ]]; then
    COMPREPLY=($(compgen -W "${firstWords}" -- "$current"))
    return
  fi
  case "$first" in
${groups.map((group) => `    ${group}) if [[ -z $second && $current != -* ]]; then COMPREPLY=($(compgen -W "${verbsOf(group, commands)}" -- "$current")); return; fi ;;`).join("\n")}
    *) second="" ;;
  esac
  local flags="" operands=""
  case "$first\${second:+ $second}" in
${commands.map(commandCase).join("\n")}
  esac
  case "$previous" in
${valueCases(commands)}
  esac
  if [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$current"))
  elif [[ $operands == @* ]]; then
    COMPREPLY=($(compgen -W "$("\${COMP_WORDS[0]}" __complete "\${operands#@}" 2>/dev/null)" -- "$current"))
  else
    COMPREPLY=($(compgen -W "$operands" -- "$current"))
  fi
}
complete -o default -F _q q qtask
`;
}

function verbsOf(group: string, commands: readonly CompletionCommand[]): string {
  return commands.flatMap(({ path }) => (path.startsWith(`${group} `) ? [path.slice(group.length + 1)] : [])).join(" ");
}

function commandCase({ path, flags, operand }: CompletionCommand): string {
  const names = flags.flatMap((flag) => flag.names).join(" ");
  const operands = operand === undefined ? "" : typeof operand === "string" ? `@${operand}` : operand.join(" ");
  return `    "${path}") flags="${names}"; operands="${operands}" ;;`;
}

/** One case per kind of value, for all flags that take it. */
function valueCases(commands: readonly CompletionCommand[]): string {
  const byReply = new Map<string, Set<string>>();
  for (const flag of commands.flatMap(({ flags }) => flags)) {
    const value = valueOf(flag);
    if (value === undefined) continue;
    const reply =
      value === "files"
        ? `COMPREPLY=($(compgen -f -- "$current"))`
        : `COMPREPLY=($(compgen -W "${typeof value === "string" ? `$("\${COMP_WORDS[0]}" __complete ${value} 2>/dev/null)` : value.join(" ")}" -- "$current"))`;
    const names = byReply.get(reply) ?? new Set();
    for (const name of flag.names) names.add(name);
    byReply.set(reply, names);
  }
  return [...byReply].map(([reply, names]) => `    ${[...names].join("|")}) ${reply}; return ;;`).join("\n");
}
