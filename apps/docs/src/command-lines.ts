import type { CodeBlock } from "./code-blocks.ts";

/** One call of the `q` command on a page. */
export interface CommandLine {
  readonly page: string;
  readonly line: number;
  /** What stands behind `q`. */
  readonly words: readonly string[];
}

/** The calls of `q` in shell blocks, in systemd units and in Kubernetes manifests. */
export function commandLinesOf(block: CodeBlock): readonly CommandLine[] {
  return block.text.split("\n").flatMap((line, index) =>
    callsIn(line, block.language).flatMap((words) => {
      const program = words.findIndex((word) => !/^(\w+=.*|npx|exec)$/.test(word));
      if (!/(^|\/)(q|qtask)$/.test(words[program] ?? "")) return [];
      return [{ page: block.page, line: block.line + index + 1, words: words.slice(program + 1) }];
    }),
  );
}

function callsIn(line: string, language: string): readonly (readonly string[])[] {
  switch (language) {
    case "sh":
    case "bash":
    case "console":
      return splitCalls(line.replace(/^\s*\$ /, ""));
    case "ini":
      return splitCalls(/^ExecStart=(.*)$/.exec(line)?.[1] ?? "");
    case "yaml": {
      const list = /^\s*command: (\[.*\])$/.exec(line)?.[1];
      // A list of words in a manifest is JSON too.
      return list === undefined ? [] : [JSON.parse(list) as string[]];
    }
    default:
      return [];
  }
}

const separators = new Set(["&&", "||", "|", ";", "&"]);
/** A word with its quoted parts, or a comment up to the end. */
const word = /#.*$|(?:'[^']*'|"[^"]*"|[^\s'"])+/g;

function splitCalls(line: string): readonly (readonly string[])[] {
  const calls: string[][] = [[]];
  for (const [text] of line.replaceAll(/\w+=\$\(([^)]*)\)/g, "$1 ;").matchAll(word)) {
    if (text.startsWith("#")) break;
    if (separators.has(text)) calls.push([]);
    else calls.at(-1)?.push(text.replaceAll(/'([^']*)'|"([^"]*)"/g, "$1$2"));
  }
  return calls;
}
