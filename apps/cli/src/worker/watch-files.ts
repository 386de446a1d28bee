import { existsSync } from "node:fs";
import { basename, relative, resolve, sep } from "node:path";
import { watch } from "chokidar";
import picomatch from "picomatch";
import { UsageError } from "../cli-errors.ts";

export interface WatchOptions {
  /** Absolute: the config's folder. Patterns start here. */
  readonly root: string;
  /** A glob, a folder or a file; `undefined` for all of `root`. */
  readonly pattern: string | undefined;
  /** Called with absolute paths when nothing more has changed for a moment. */
  readonly onChange: (files: readonly string[]) => void;
  /** Called when the system refuses to watch, as when it watches too much already. */
  readonly onError: (error: unknown) => void;
}

/** An editor that saves all, or a branch that is switched, is one change. */
const quietMs = 200;

const source = /(^|\/)(\.env(\.[^/]+)?|[^/]+\.([mc]?[jt]s|[jt]sx|json))$/;

/**
 * Watches source files until the answer is called. Below its starting folder it skips `node_modules`, `dist` and whatever begins with a dot, but for
 * `.env` files.
 * @throws UsageError `Q2103` when there is nothing to watch
 */
export async function watchFiles({ root, pattern, onChange, onError }: WatchOptions): Promise<() => Promise<void>> {
  const { base = "", glob = "" } = pattern === undefined ? {} : picomatch.scan(pattern);
  const folder = resolve(root, base);
  if (!existsSync(folder)) {
    throw new UsageError("Q2103", `--watch ${pattern}: there is no ${folder}`, {
      hint: "patterns start from the folder of the config; quote them",
    });
  }
  const isWanted = glob === "" ? (path: string): boolean => source.test(path) : picomatch(glob, { dot: true });
  const watcher = watch(folder, {
    ignoreInitial: true,
    // What lies in an ignored folder is not asked for.
    ignored: (path, stats) => {
      const inside = relative(folder, path).replaceAll(sep, "/");
      // The starting point is wanted, whatever its name.
      if (inside === "") return false;
      if (isSkipped(basename(path), stats?.isDirectory() === true)) return true;
      return stats?.isFile() === true && !isWanted(inside);
    },
  });
  const changed = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  watcher.on("all", (event, path) => {
    if (event === "addDir" || event === "unlinkDir") return;
    changed.add(path);
    clearTimeout(timer);
    timer = setTimeout(() => {
      const files = [...changed];
      changed.clear();
      onChange(files);
    }, quietMs);
  });
  watcher.on("error", onError);
  await new Promise<void>((ready) => watcher.once("ready", () => ready()));
  return async () => {
    clearTimeout(timer);
    await watcher.close();
  };
}

function isSkipped(name: string, isFolder: boolean): boolean {
  if (name === "node_modules" || name === "dist") return true;
  return name.startsWith(".") && (isFolder || !name.startsWith(".env"));
}
