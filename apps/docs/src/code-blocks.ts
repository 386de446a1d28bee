import type { Document } from "./documents.ts";

/** A fenced block of a page. */
export interface CodeBlock {
  /** The page that it is on. */
  readonly page: string;
  /** The line of the opening fence, from 1: the first line of the text is the one after it. */
  readonly line: number;
  /** `ts`, `sh`; empty when the fence names none. */
  readonly language: string;
  /** What stands behind the language: `no-check: a fragment`. */
  readonly note: string;
  readonly text: string;
}

const fence = /^( *)(`{3,})([\w-]*) *(.*)$/;

/** The fenced blocks of a page, in order. */
export function codeBlocksOf({ path, text }: Document): readonly CodeBlock[] {
  const blocks: CodeBlock[] = [];
  let open:
    | { line: number; indent: string; ticks: string; language: string; note: string; lines: string[] }
    | undefined;
  text.split("\n").forEach((line, index) => {
    if (open === undefined) {
      const [, indent = "", ticks, language = "", note = ""] = fence.exec(line) ?? [];
      if (ticks !== undefined) open = { line: index + 1, indent, ticks, language, note, lines: [] };
    } else if (line.trim() === open.ticks) {
      const { indent, lines, ticks: _ticks, ...block } = open;
      const dedented = lines.map((one) => (one.startsWith(indent) ? one.slice(indent.length) : one));
      blocks.push({ page: path, ...block, text: dedented.join("\n") });
      open = undefined;
    } else {
      open.lines.push(line);
    }
  });
  if (open !== undefined) throw new Error(`${path}:${open.line} this block is not closed`);
  return blocks;
}

/** What a page puts around its unnamed blocks: the text of its comment `<!-- prelude … -->`. */
export function preludeOf({ text }: Document): string {
  return /^<!-- prelude\n([^]*?)\n-->$/m.exec(text)?.[1] ?? "";
}

/** Files that a page's blocks import and its readers need not see: its comments `<!-- file src/mail.ts … -->`. */
export function hiddenFilesOf({ text }: Document): ReadonlyMap<string, string> {
  return new Map(
    [...text.matchAll(/^<!-- file (\S+)\n([^]*?)\n-->$/gm)].map(([, name = "", content = ""]) => [name, content]),
  );
}

/** The file that a block says it is, in a comment on its first line: `// src/tasks/hello.ts`. */
export function fileNameOf({ text }: CodeBlock): string | undefined {
  return /^\/\/ ([\w./-]+\.ts)\b/.exec(text)?.[1];
}
