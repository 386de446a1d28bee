import { fork } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";

const vitest = fileURLToPath(new URL("../node_modules/vitest/vitest.mjs", import.meta.url));
const reporter = fileURLToPath(new URL("plain-reporter.mjs", import.meta.url));

/** Runs test files, given as name → source, in a vitest of their own. */
async function run(files) {
  const folder = await mkdtemp(join(tmpdir(), "q-reporter-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const [name, source] of Object.entries(files)) await writeFile(join(folder, name), source);
  const child = fork(vitest, ["run", "--root", folder, "--globals", `--reporter=${reporter}`], { silent: true });
  let output = "";
  let totals;
  child.stdout.on("data", (text) => (output += text));
  child.on("message", (message) => (totals = message));
  await new Promise((resolve) => child.on("close", resolve));
  return { totals, output };
}

test("passed, failed, skipped and planned tests are counted", async () => {
  const { totals } = await run({
    "a.test.js": `test("p", () => {}); test("f", () => { throw new Error("x"); }); test.skip("s", () => {}); test.todo("t");`,
  });
  expect(totals).toEqual({ passed: 1, failed: 1, skipped: 2 });
});

test("a file that does not load counts as failed", async () => {
  const { totals } = await run({ "a.test.js": `import "./absent.js";`, "b.test.js": `test("p", () => {});` });
  expect(totals).toEqual({ passed: 1, failed: 1, skipped: 0 });
});

test("an error that no test caught counts as failed", async () => {
  const { totals } = await run({
    "a.test.js": `test("p", async () => { Promise.reject(new Error("x")); await new Promise((r) => setTimeout(r, 50)); });`,
  });
  expect(totals).toEqual({ passed: 1, failed: 1, skipped: 0 });
});

test("a hook that throws counts as failed", async () => {
  const { totals } = await run({
    "a.test.js": `describe("s", () => { beforeAll(() => { throw new Error("x"); }); test("never runs", () => {}); });`,
  });
  expect(totals).toEqual({ passed: 0, failed: 1, skipped: 1 });
});

test("a skipped test is named with its reason", async () => {
  const { output } = await run({
    "a.test.js": `test("s", (ctx) => ctx.skip("no server here")); test.skip("t", () => {});`,
  });
  expect(output).toContain("a.test.js > s: no server here");
  expect(output).toContain("a.test.js > t: no reason given");
});
