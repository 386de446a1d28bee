import { execFile } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { codeBlocksOf, fileNameOf } from "../src/code-blocks.ts";
import { documents, root } from "../src/documents.ts";

const guide = "apps/docs/guides/testing.md";
const folder = join(root, "apps/docs/.snippets/testing");

test("the tests of the testing guide pass", async () => {
  rmSync(folder, { recursive: true, force: true });
  for (const block of documents()
    .filter(({ path }) => path === guide)
    .flatMap(codeBlocksOf)) {
    const name = fileNameOf(block);
    if (name === undefined) continue;
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), block.text);
  }
  // Its own, or the repository's would be found.
  writeFileSync(join(folder, "vitest.config.mjs"), "export default {};\n");
  const vitest = [join(root, "node_modules/vitest/vitest.mjs"), "run", "--root", folder, "--reporter=json"];
  const { stdout } = await promisify(execFile)(process.execPath, vitest, { cwd: folder });
  expect(JSON.parse(stdout)).toMatchObject({ numPassedTests: 4, numFailedTests: 0 });
});
