import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { codeBlocksOf } from "../src/code-blocks.ts";
import { commandLinesOf } from "../src/command-lines.ts";
import { documents, root } from "../src/documents.ts";

const lines = documents().flatMap(codeBlocksOf).flatMap(commandLinesOf);
const calls = new Map(lines.map(({ page, line, words }) => [words.join(" "), { place: `${page}:${line}`, words }]));

test("the pages call the command", () => {
  expect(calls.size).toBeGreaterThan(10);
});

// In an empty folder: the command reads its flags and values first, and then finds no config. So nothing is done.
test.concurrent.each([...calls.values()])("$place is understood by the command: q $words", async ({ words }) => {
  const cwd = await mkdtemp(join(tmpdir(), "q-docs-"));
  try {
    const { code, error } = await call(words, cwd);
    expect(code === 0 ? "understood" : error).toMatch(/understood|Q2001/);
  } finally {
    await rm(cwd, { recursive: true });
  }
});

test("a flag that the command does not have is noticed", async () => {
  const { error } = await call(["worker", "--concurency", "4"], tmpdir());
  expect(error).toContain("Q2102");
});

function call(words: readonly string[], cwd: string): Promise<{ readonly code: number; readonly error: string }> {
  const args = [join(root, "apps/cli/dist/main.js"), ...words.map((word) => (word.startsWith("@") ? "{}" : word))];
  return new Promise((resolve) => {
    const child = execFile(process.execPath, args, { cwd, timeout: 20_000 }, (failure, _stdout, stderr) => {
      resolve({ code: failure === null ? 0 : 1, error: stderr });
    });
    child.stdin?.end("{}");
  });
}
