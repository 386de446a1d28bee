import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's root, with a slash at its end. */
export const root: string = fileURLToPath(new URL("../../..", import.meta.url));

/** One page. */
export interface Document {
  /** From the repository's root, with "/". */
  readonly path: string;
  readonly text: string;
}

/** Every page that a user may read: the README, these docs, and the README of each package and app. */
export function documents(): readonly Document[] {
  const members = ["packages", "apps"].flatMap((top) => readdirSync(join(root, top)).map((name) => `${top}/${name}`));
  const readmes = ["README.md", ...members.map((member) => `${member}/README.md`)].filter((path) =>
    existsSync(join(root, path)),
  );
  return [...new Set([...readmes, ...pagesUnder("apps/docs")])].map((path) => ({
    path,
    text: readFileSync(join(root, path), "utf8"),
  }));
}

function pagesUnder(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return /^(node_modules|\..*)$/.test(entry.name) ? [] : pagesUnder(path);
    return entry.name.endsWith(".md") ? [path] : [];
  });
}
