import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { expect, test } from "vitest";
import { documents, root } from "./documents.ts";

const links = documents().flatMap(({ path, text }) =>
  [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = ""]) => ({ page: path, target }))
    .filter(({ target }) => !/^[a-z]+:/.test(target)),
);

test("the pages link to each other", () => {
  expect(links.length).toBeGreaterThan(20);
});

test("every link leads to a file, and to a heading where it names one", () => {
  expect(
    links.filter(({ page, target }) => !leadsSomewhere(page, target)).map(({ page, target }) => `${page} → ${target}`),
  ).toEqual([]);
});

function leadsSomewhere(page: string, target: string): boolean {
  const [file = "", heading] = target.split("#");
  const path = file === "" ? page : posix.join(dirname(page), file);
  if (!existsSync(join(root, path))) return false;
  return heading === undefined || (statSync(join(root, path)).isFile() && headingsOf(path).includes(heading));
}

/** As GitHub writes them: lower case, without punctuation, hyphens for spaces. */
function headingsOf(path: string): readonly string[] {
  const text = readFileSync(join(root, path), "utf8");
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  );
}
