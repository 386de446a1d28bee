import { valueOf, type CompletionCommand } from "./completion-spec.ts";
import type { Flag } from "../flag.ts";

/** A script for zsh: `q completion zsh > "${fpath[1]}/_q"`. */
export function zshCompletion(commands: readonly CompletionCommand[]): string {
  const groups = [...new Set(commands.flatMap(({ path }) => (path.includes(" ") ? [path.split(" ")[0] ?? ""] : [])))];
  const firstWords = [...new Map(commands.map(({ path, summary }) => [path.split(" ")[0] ?? path, summary]))];
  return `#compdef q qtask
# zsh completion for q. Put it into a folder of $fpath: q completion zsh > "\${fpath[1]}/_q"
_q_names() { compadd -- \${(f)"$(\${words_all[1]} __complete $1 2>/dev/null)"} }
_q() {
  local -a words_all=("\${words[@]}")
  if (( CURRENT == 2 )); then
    local -a first=(${firstWords.map(([word, summary]) => quote(`${word}:${summary}`)).join(" ")})
    _describe command first
    return
  fi
  local command="$words[2]"
  case "$command" in
${groups.map((group) => groupCase(group, commands)).join("\n")}
  esac
  case "$command" in
${commands.map(commandCase).join("\n")}
  esac
}
_q "$@"
`;
}

function groupCase(group: string, commands: readonly CompletionCommand[]): string {
  const verbs = commands.filter(({ path }) => path.startsWith(`${group} `));
  const list = verbs.map(({ path, summary }) => quote(`${path.slice(group.length + 1)}:${summary}`)).join(" ");
  return `    ${group})
      if (( CURRENT == 3 )) && [[ $words[3] != -* ]]; then local -a verbs=(${list}); _describe verb verbs; return; fi
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

/** `'(-c --concurrency)'{-c,--concurrency=}'[about]:n:'` */
function flagSpec(flag: Flag): string {
  const about = flag.about.replace(/[[\]]/g, "").replaceAll(":", "\\:");
  const names = flag.names.map((name) => (flag.value === "none" || !name.startsWith("--") ? name : `${name}=`));
  const listed = names.length === 1 ? names[0] : `{${names.join(",")}}`;
  const value = flag.value === "none" ? "" : `:${flag.valueName.replaceAll(":", " ")}:${actionOf(flag)}`;
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
