import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { touchHealthFile } from "./health.ts";

async function fileFor(isReady: boolean): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "q-health-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, "alive");
  const end = await touchHealthFile(path, () => isReady);
  onTestFinished(end);
  return path;
}

test("a health file is there as soon as tasks are taken", async () => {
  expect(existsSync(await fileFor(true))).toBe(true);
});

test("a health file is not there while no tasks are taken yet", async () => {
  expect(existsSync(await fileFor(false))).toBe(false);
});
