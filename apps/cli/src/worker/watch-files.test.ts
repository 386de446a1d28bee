import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { watchFiles } from "./watch-files.ts";

interface Watched {
  readonly seen: string[][];
  write(path: string): Promise<void>;
}

async function watched(pattern?: string): Promise<Watched> {
  const root = await realpath(await mkdtemp(join(tmpdir(), "q-watch-")));
  const seen: string[][] = [];
  const write = async (path: string): Promise<void> => {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), "");
  };
  for (const path of ["src/tasks/a.ts", "dist/a.js", "node_modules/x/index.js", ".git/HEAD"]) await write(path);
  const onChange = (files: readonly string[]): void =>
    void seen.push(files.map((file) => relative(root, file)).toSorted());
  const stop = await watchFiles({
    root,
    pattern,
    onChange,
    onError: (error) => {
      throw error;
    },
  });
  onTestFinished(async () => {
    await stop();
    await rm(root, { recursive: true });
  });
  return { seen, write };
}

/** What is seen of the changes, when the last one is known to be. */
async function seenOf({ seen, write }: Watched, paths: readonly string[]): Promise<string[]> {
  for (const path of paths) await write(path);
  await expect.poll(() => seen.flat(), { timeout: 5000 }).toContain(paths.at(-1));
  return seen.flat().toSorted();
}

test("source files below the folder are seen, old and new ones", async () => {
  const paths = ["q.config.ts", ".env", ".env.local", "src/tasks/a.ts", "src/new/b.mjs", "src/rates.json", "z.ts"];
  expect(await seenOf(await watched(), paths)).toEqual(paths.toSorted());
});

test("dependencies, builds, dot folders and other files are not", async () => {
  const paths = [
    "node_modules/x/index.js",
    "dist/a.js",
    ".git/a.json",
    ".env/lib.js",
    ".eslintrc.json",
    "a.md",
    "z.ts",
  ];
  expect(await seenOf(await watched(), paths)).toEqual(["z.ts"]);
});

test("a glob names the files itself", async () => {
  const paths = ["z.ts", "src/rates.json", "src/mail.html", "src/tasks/b.ts", "src/node_modules/c.ts", "src/z.html"];
  expect(await seenOf(await watched("src/**/*.{ts,html}"), paths)).toEqual([
    "src/mail.html",
    "src/tasks/b.ts",
    "src/z.html",
  ]);
});

test("a folder that is named is watched, also one that is skipped elsewhere", async () => {
  expect(await seenOf(await watched("dist"), ["src/b.ts", "dist/b.js"])).toEqual(["dist/b.js"]);
});

test("a file that is named is watched, whatever its kind", async () => {
  expect(await seenOf(await watched(".git/HEAD"), ["src/b.ts", ".git/HEAD"])).toEqual([".git/HEAD"]);
});

test("changes that come together are one", async () => {
  const folder = await watched();
  await seenOf(folder, ["src/b.ts", "src/c.ts", "src/d.ts"]);
  expect(folder.seen).toHaveLength(1);
});

test("a place that is not there is refused", async () => {
  await expect(watched("srcs/**/*.ts")).rejects.toMatchObject({ code: "Q2103" });
});
