import { firstWords, groups, valueOf, type CompletionCommand, type Word } from "./completion-spec.ts";

/** A script for bash: `source <(q completion bash)`. */
export function bashCompletion(commands: readonly CompletionCommand[]): string {
  return `# bash completion for q. Load it with: source <(q completion bash)
_q() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" first="" second="" verbs="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${COMP_WORDS[i]}" in
      -*) ;;
      *) if [[ -z $first ]]; then first="\${COMP_WORDS[i]}"; elif [[ -z $second ]]; then second="\${COMP_WORDS[i]}"; fi ;;
    esac
  done
  case "$previous" in
${valueCases(commands)}
  esac
  if [[ -z $first ]]; then
    COMPREPLY=($(compgen -W "${wordsOf(firstWords(commands))}" -- "$current"))
    return
  fi
  case "$first" in
${[...groups(commands)].map(([group, verbs]) => `    ${group}) verbs="${wordsOf(verbs)}" ;;`).join("\n")}
  esac
  [[ " $verbs " == *" $second "* ]] || second=""
  if [[ -n $verbs && -z $second && $current != -* ]]; then
    COMPREPLY=($(compgen -W "$verbs" -- "$current"))
    return
  fi
  local flags="" operands=""
  case "$first\${second:+ $second}" in
${commands.map(commandCase).join("\n")}
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

function wordsOf(words: readonly Word[]): string {
  return words.map(({ word }) => word).join(" ");
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
