import { execFile, spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { codeBlocksOf, fileNameOf } from "../src/code-blocks.ts";
import { commandLinesOf } from "../src/command-lines.ts";
import { documents, root } from "../src/documents.ts";

const q = join(root, "apps/cli/dist/main.js");
const readme = documents()
  .filter(({ path }) => path === "README.md")
  .flatMap(codeBlocksOf);
/** The two files of the README's first task, each without the comment that names it. */
const files = new Map(readme.map((block) => [fileNameOf(block), block.text.replace(/^.*\n/, "")]));
const calls = readme.flatMap(commandLinesOf).map(({ words }) => words);

let project = "";

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), "q-first-task-"));
  await mkdir(join(project, "node_modules/@q"), { recursive: true });
  for (const [name, folder] of [
    ["core", "packages/core"],
    ["broker-sqlite", "packages/broker-sqlite"],
  ] as const) {
    await symlink(join(root, folder), join(project, "node_modules/@q", name));
  }
});

afterAll(() => rm(project, { recursive: true, force: true }));

test("q init writes what the README shows", async () => {
  const folder = join(project, "from-init");
  await mkdir(folder);
  await promisify(execFile)(process.execPath, [q, "init"], { cwd: folder });
  for (const name of ["q.config.ts", "src/tasks/hello.ts"]) {
    expect(withoutComments(await readFile(join(folder, name), "utf8"))).toBe(files.get(name));
  }
});

test("the README's first task runs", async () => {
  for (const name of ["q.config.ts", "src/tasks/hello.ts"]) {
    await mkdir(dirname(join(project, name)), { recursive: true });
    await writeFile(join(project, name), files.get(name) ?? "");
  }
  const send = calls.find(([command]) => command === "send") ?? [];
  const worker = spawn(process.execPath, [q, "worker"], { cwd: project, stdio: ["ignore", "pipe", "inherit"] });
  try {
    const { stdout: id } = await promisify(execFile)(process.execPath, [q, ...send], { cwd: project });
    expect(id).toMatch(/^[\w-]+\n$/);
    for await (const chunk of worker.stdout) if (String(chunk).includes("hello Ada")) break;
    worker.kill("SIGTERM");
    const [code] = (await once(worker, "exit")) as [number | null];
    expect(code).toBe(0);
  } finally {
    worker.kill("SIGKILL");
  }
});

function withoutComments(text: string): string {
  return text.replaceAll(/^ *\/\/.*\n/gm, "").trimEnd();
}
