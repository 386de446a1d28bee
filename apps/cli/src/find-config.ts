import { existsSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { ConfigError } from "@q/core";

/** Names of the config file, in the order in which they win within one folder. */
export const configNames: readonly string[] = ["q.config.ts", "q.config.mts", "q.config.js", "q.config.mjs"];

/**
 * The config file: the one that was asked for, or the nearest from `cwd` upward.
 * @param asked a path from `--config` or `Q_CONFIG`, relative to `cwd`; a folder means the config in it
 * @throws ConfigError `Q2001`
 */
export function findConfig(cwd: string, asked: string | undefined): string {
  if (asked !== undefined) {
    const path = resolve(cwd, asked);
    const found = isFolder(path) ? configIn(path) : existsSync(path) ? path : undefined;
    if (found !== undefined) return found;
    throw new ConfigError("Q2001", `no config at ${asked}`, {
      hint: "--config names a file, or a folder with a q.config.ts",
      details: { "looked for": path },
    });
  }
  for (let folder = cwd; ; folder = dirname(folder)) {
    const found = configIn(folder);
    if (found !== undefined) return found;
    if (dirname(folder) === folder) break;
  }
  throw new ConfigError("Q2001", `no q.config.ts found from ${cwd} up`, {
    hint: "q init writes one; --config <path> names another",
  });
}

function configIn(folder: string): string | undefined {
  return configNames.map((name) => join(folder, name)).find((path) => existsSync(path));
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
