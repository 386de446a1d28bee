import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "./documents.ts";

const raised = codesRaised();
const rows = [
  ...readFileSync(join(root, "apps/docs/errors.md"), "utf8").matchAll(/^\| `(Q\d{4})` +\|([^|]*)\|([^|]*)\|$/gm),
];

test("every code that is raised stands in the catalogue", () => {
  const listed = new Set(rows.map(([, code]) => code));
  expect([...raised].filter((code) => !listed.has(code))).toEqual([]);
});

test("the catalogue lists codes that are raised, in order, each once", () => {
  expect(rows.map(([, code]) => code)).toEqual(
    [...raised].filter((code) => rows.some((row) => row[1] === code)).toSorted(),
  );
});

test("every code of the catalogue says when it comes and what to do", () => {
  expect(
    rows.filter(([, , when = "", fix = ""]) => when.trim() === "" || fix.trim() === "").map(([, code]) => code),
  ).toEqual([]);
});

/** Codes in the sources of what is released, which write them as `"Q1001"`. */
function codesRaised(): ReadonlySet<string> {
  const packages = readdirSync(join(root, "packages")).map((name) => `packages/${name}`);
  const files = [...packages, "apps/cli"].flatMap((member) => sourcesUnder(`${member}/src`));
  const texts = files.map((file) => readFileSync(join(root, file), "utf8"));
  return new Set(texts.flatMap((text) => [...text.matchAll(/"(Q\d{4})"/g)].map(([, code = ""]) => code)));
}

function sourcesUnder(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts") && !/\.test(-d)?\.ts$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length));
}
