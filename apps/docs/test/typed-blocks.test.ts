import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { expect, test } from "vitest";
import { codeBlocksOf, fileNameOf, hiddenFilesOf, preludeOf, type CodeBlock } from "../src/code-blocks.ts";
import { documents, root } from "../src/documents.ts";

/** Inside the package, so that its dependencies are found; ignored by git. */
const folder = join(root, "apps/docs/.snippets/typed");

const pages = documents().map((page) => ({
  page,
  blocks: codeBlocksOf(page).filter(({ language }) => language === "ts"),
}));

test("every TypeScript block compiles, for users with the strictest settings", () => {
  rmSync(folder, { recursive: true, force: true });
  const files = pages.flatMap(({ page, blocks }) => {
    const project = join(folder, page.path.replaceAll("/", "-"));
    for (const [name, content] of hiddenFilesOf(page)) write(join(project, name), content);
    return blocks.filter(isChecked).map((block) => {
      const name = fileNameOf(block);
      const path = join(project, name ?? `block-${block.line}.ts`);
      // Its first line keeps the number that it has on the page. The prelude fits above it, as it does there.
      const prelude = name === undefined ? preludeOf(page) : "";
      write(path, `${prelude}${"\n".repeat(block.line - prelude.split("\n").length + 1)}${block.text}\nexport {};\n`);
      return { path, block };
    });
  });
  expect(repeated(files.map(({ path }) => relative(folder, path)))).toEqual([]);
  // What only makes sense for a library's own sources is off; `declaration` would ask for annotations on every export.
  const compilerOptions = { isolatedDeclarations: false, declaration: false, rootDir: root };
  write(join(folder, "tsconfig.json"), JSON.stringify({ extends: "../../../../tsconfig.base.json", compilerOptions }));
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, "node_modules/typescript/bin/tsc"), "-p", folder, "--pretty", "false"],
    {
      cwd: folder,
      encoding: "utf8",
    },
  );
  const output = files.reduce(
    (text, { path, block }) => text.replaceAll(relative(folder, path), `${block.page} `),
    stdout + stderr,
  );
  expect(output).toBe("");
});

test("a block that is not checked says why", () => {
  const unchecked = pages.flatMap(({ blocks }) => blocks).filter((block) => !isChecked(block));
  expect(
    unchecked.filter(({ note }) => !/^no-check: \w/.test(note)).map(({ page, line }) => `${page}:${line}`),
  ).toEqual([]);
});

test("blocks are called ts, never typescript or js, so that none is passed over", () => {
  const others = documents()
    .flatMap(codeBlocksOf)
    .filter(({ language }) => /^(typescript|tsx|js|javascript|mjs|mts)$/i.test(language));
  expect(others.map(({ page, line }) => `${page}:${line}`)).toEqual([]);
});

function isChecked({ note }: CodeBlock): boolean {
  return !note.startsWith("no-check");
}

function repeated(paths: readonly string[]): readonly string[] {
  return paths.filter((path, index) => paths.indexOf(path) !== index);
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
