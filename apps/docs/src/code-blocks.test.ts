import { expect, test } from "vitest";
import { codeBlocksOf, fileNameOf, hiddenFilesOf, preludeOf } from "./code-blocks.ts";

const page = (text: string): { path: string; text: string } => ({ path: "page.md", text });

test("blocks are read with their language, note and line", () => {
  const text = "# A\n\n```ts no-check: a fragment\nconst a = 1;\n```\n\n```\nplain\n```\n";
  expect(codeBlocksOf(page(text))).toEqual([
    { page: "page.md", line: 3, language: "ts", note: "no-check: a fragment", text: "const a = 1;" },
    { page: "page.md", line: 7, language: "", note: "", text: "plain" },
  ]);
});

test("an indented block loses its indentation, and shorter fences inside a block are text", () => {
  const text = "1. first\n   ```sh\n   q worker\n     -c 4\n   ```\n\n````md\n```ts\n```\n````";
  expect(codeBlocksOf(page(text)).map((block) => block.text)).toEqual(["q worker\n  -c 4", "```ts\n```"]);
});

test("a block that is not closed is an error that names its line", () => {
  expect(() => codeBlocksOf(page("a\n```ts\nconst a = 1;"))).toThrow("page.md:2");
});

test("hidden files are found with their names", () => {
  const hidden = hiddenFilesOf(
    page('# A\n\n<!-- file src/a.ts\nexport const a = 1;\n-->\n\n<!-- file b.ts\nimport "./src/a.ts";\n-->\n'),
  );
  expect([...hidden]).toEqual([
    ["src/a.ts", "export const a = 1;"],
    ["b.ts", 'import "./src/a.ts";'],
  ]);
});

test("a page's prelude and a block's file name are found, and absent where there is none", () => {
  expect(preludeOf(page('<!-- prelude\nimport "a";\n-->\n\n# A'))).toBe('import "a";');
  expect(preludeOf(page("# A"))).toBe("");
  const [named, unnamed] = codeBlocksOf(page("```ts\n// src/a.ts: why\n```\n```ts\n// a note on src/a.ts\n```"));
  expect(named && fileNameOf(named)).toBe("src/a.ts");
  expect(unnamed && fileNameOf(unnamed)).toBeUndefined();
});
