import { firstWords, groups, valueOf, type CompletionCommand, type Word } from "./completion-spec.ts";
import type { Flag } from "../flag.ts";

/** A script for zsh: `q completion zsh > "${fpath[1]}/_q"`. */
export function zshCompletion(commands: readonly CompletionCommand[]): string {
  return `#compdef q qtask
# zsh completion for q. Put it into a folder of $fpath: q completion zsh > "\${fpath[1]}/_q"
_q_names() { compadd -- \${(f)"$(\${words_all[1]} __complete $1 2>/dev/null)"} }
_q() {
  local -a words_all=("\${words[@]}")
  while (( CURRENT > 2 )) && [[ $words[2] == -* ]]; do words[2]=(); (( CURRENT-- )); done
  if (( CURRENT == 2 )); then
    local -a first=(${described(firstWords(commands))})
    _describe command first
    return
  fi
  local command="$words[2]"
  case "$command" in
${[...groups(commands)].map(([group, verbs]) => groupCase(group, verbs)).join("\n")}
  esac
  case "$command" in
${commands.map(commandCase).join("\n")}
  esac
}
_q "$@"
`;
}

function described(words: readonly Word[]): string {
  return words.map(({ word, summary }) => quote(`${word}:${summary}`)).join(" ");
}

function groupCase(group: string, verbs: readonly Word[]): string {
  return `    ${group})
      if (( CURRENT == 3 )) && [[ $words[3] != -* ]]; then local -a verbs=(${described(verbs)}); _describe verb verbs; return; fi
      if [[ $words[3] != -* ]]; then command="$command $words[3]"; shift words; (( CURRENT-- )); fi ;;`;
}

function commandCase({ path, flags, operand }: CompletionCommand): string {
  const rest =
    operand === undefined
      ? []
      : [typeof operand === "string" ? `'*: :{_q_names ${operand}}'` : quote(`*: :(${operand.join(" ")})`)];
  const specs = [...flags.map(flagSpec), ...rest];
  return `    ${quote(path)}) shift words; (( CURRENT-- )); _arguments ${specs.join(" ")} ;;`;
}

/** `'*'{-c,--concurrency=}'[about]:n: '`. A value that may be left out stands behind `=` only. */
function flagSpec(flag: Flag): string {
  const about = flag.about.replace(/[[\]]/g, "").replaceAll(":", "\\:");
  const ending = { none: "", required: "=", optional: "=-" }[flag.value];
  const names = flag.names.map((name) => (name.startsWith("--") ? `${name}${ending}` : name));
  const listed = names.length === 1 ? names[0] : `{${names.join(",")}}`;
  const colons = { none: "", required: ":", optional: "::" }[flag.value];
  const value = flag.value === "none" ? "" : `${colons}${flag.valueName.replaceAll(":", " ")}:${actionOf(flag)}`;
  return `${quote("*")}${listed}${quote(`[${about}]${value}`)}`;
}

function actionOf(flag: Flag): string {
  const value = valueOf(flag);
  if (value === undefined) return " ";
  if (value === "files") return "_files";
  return typeof value === "string" ? `{_q_names ${value}}` : `(${value.join(" ")})`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
