import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadImports } from "./imports.ts";
import { ConfigError } from "./q-error.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "q-imports-"));
  await mkdir(join(root, "tasks"));
});
afterEach(() => rm(root, { recursive: true }));

async function write(...names: string[]): Promise<void> {
  for (const name of names) await writeFile(join(root, name), "");
}

test("every file of every pattern is loaded once, in order of path", async () => {
  await write("tasks/b.ts", "tasks/a.ts", "tasks/a.d.ts", "tasks/a.test.ts", "more.ts");
  const loaded: string[] = [];
  const files = await loadImports(["./tasks/*.ts", "tasks/a.ts", "more.ts"], root, async (file) => loaded.push(file));
  expect(loaded).toEqual(["tasks/a.ts", "tasks/b.ts", "more.ts"].map((name) => join(root, name)));
  expect(files).toEqual(loaded);
});

test.each(["./tasks/*.ts", "./tasks/events.ts"])(
  "%s that matches nothing is an error that says where was looked",
  async (pattern) => {
    await expect(loadImports([pattern], root, async () => {})).rejects.toMatchObject({
      code: "Q2009",
      message: expect.stringContaining(pattern),
      details: { "looked in": root },
    });
  },
);

test("a module that does not load is an error that names it and keeps the cause", async () => {
  await write("tasks/a.ts");
  const cause = new SyntaxError("Unexpected token\n  at somewhere");
  await expect(loadImports(["tasks/*.ts"], root, () => Promise.reject(cause))).rejects.toMatchObject({
    code: "Q2002",
    message: "tasks/a.ts failed to load: SyntaxError: Unexpected token",
    cause,
  });
});

test("an error of ours inside a module reaches the caller as it is", async () => {
  await write("tasks/a.ts");
  const error = new ConfigError("Q2004", "two tasks are named x");
  await expect(loadImports(["tasks/*.ts"], root, () => Promise.reject(error))).rejects.toBe(error);
});
