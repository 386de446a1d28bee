import type { Flag } from "../flag.ts";
import { firstWords, groups, valueOf, type CompletionCommand, type Word } from "./completion-spec.ts";

/** Between a word and what it stands for. No name has it inside. */
const separator = " # ";

/** A script for PowerShell, 5.1 or newer: `q completion pwsh | Out-String | Invoke-Expression`. */
export function pwshCompletion(commands: readonly CompletionCommand[]): string {
  const filesFlags = commands.flatMap(({ flags }) => flags).filter((flag) => valueOf(flag) === "files");
  const twoWords = commands.flatMap(({ path }) => (path.includes(" ") ? [path] : []));
  return `# PowerShell completion for q. Load it in $PROFILE: q completion pwsh | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName q, qtask -ScriptBlock {
  param($current, $ast, $cursor)
  $words = @($ast.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursor } | ForEach-Object { $_.Extent.Text })
  $names = { param($kind) & $words[0] __complete $kind 2>$null }
  $isFlag = "$current".StartsWith('-')
  $previous = $words[-1]
  $first, $second, $rest = @($words | Select-Object -Skip 1 | Where-Object { -not $_.StartsWith('-') })
  $command = "$first $second"
  if ($command -cnotin ${list(twoWords)}) { $command = "$first" }
  if ($previous -cin ${list(namesOf(filesFlags))}) { return }
  $offers = @(switch ($previous) {
${valueCases(commands)}
  })
  if ($offers.Count -eq 0) {
    $offers = @(switch -CaseSensitive ($command) {
      '' { ${words(firstWords(commands))} }
${commandCases(commands)}
    })
  }
  $offers | Where-Object { "$_".StartsWith("$current", [StringComparison]::Ordinal) } | ForEach-Object {
    $word, $about = $_ -split ${quote(separator)}, 2
    if (-not $about) { $about = $word }
    [System.Management.Automation.CompletionResult]::new($word, $word, 'ParameterValue', $about)
  }
}
`;
}

/** One case per command. The name of a group is followed by a verb, whether it is a command itself or not. */
function commandCases(commands: readonly CompletionCommand[]): string {
  const verbs = groups(commands);
  const paths = new Set([...commands.map(({ path }) => path), ...verbs.keys()]);
  const cases = [...paths].map((path) => {
    const command = commands.find((candidate) => candidate.path === path);
    const flags = (command?.flags ?? []).flatMap(({ names, about }) => names.map((word) => ({ word, summary: about })));
    const next = verbs.get(path);
    const operands = next === undefined ? offersOf(command?.operand) : words(next);
    return `      ${quote(path)} { if ($isFlag) { ${words(flags)} } else { ${operands} } }`;
  });
  return cases.join("\n");
}

/** One case per kind of value, for all flags that take it. Files are not among them: PowerShell completes those by itself, when nothing is offered. */
function valueCases(commands: readonly CompletionCommand[]): string {
  const byOffers = new Map<string, Set<string>>();
  for (const flag of commands.flatMap(({ flags }) => flags)) {
    const value = valueOf(flag);
    if (value === undefined || value === "files") continue;
    const offers = offersOf(value);
    const names = byOffers.get(offers) ?? new Set();
    for (const name of flag.names) names.add(name);
    byOffers.set(offers, names);
  }
  return [...byOffers].map(([offers, names]) => `    { $_ -cin ${list([...names])} } { ${offers} }`).join("\n");
}

function offersOf(value: CompletionCommand["operand"]): string {
  if (value === undefined) return "";
  return typeof value === "string" ? `& $names ${value}` : value.map(quote).join(", ");
}

function namesOf(flags: readonly Flag[]): readonly string[] {
  return [...new Set(flags.flatMap(({ names }) => names))];
}

function words(offered: readonly Word[]): string {
  return offered.map(({ word, summary }) => quote(`${word}${separator}${summary}`)).join(", ");
}

function list(texts: readonly string[]): string {
  return `@(${texts.map(quote).join(", ")})`;
}

/** PowerShell takes the curly ones for quotes as well. */
function quote(text: string): string {
  return `'${text.replace(/['\u2018\u2019\u201a\u201b]/g, "$&$&")}'`;
}
